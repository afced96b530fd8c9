/*
 * heap_dot: what holds a block and what it holds, drawn by GraphViz: holders above, what is held below, roots in
 * boxes of their own.
 */
#include <inttypes.h>

#include "base/bitmap.h"
#include "base/map.h"
#include "base/vec.h"
#include "report/heap_export.h"
#include "report/utf8_priv.h"

/* Nobody reads a drawing of more. */
#define NODES_MAX 200u
#define EDGES_MAX 2000u
/* Longer names are cut. */
#define NAME_BYTES 60u

DEFINE_VEC(drawn_vec, uint32_t);

struct drawing {
	const struct heap_export *heap;
	struct area is_drawn; /* bitmap by rank */
	struct drawn_vec blocks;
	uint64_t nr_edges;
	bool is_cut;
	struct str out;
};

static bool draw_block(struct drawing *drawing, uint32_t rank)
{
	if (bitmap_test(drawing->is_drawn.memory, rank))
		return true;
	if (drawing->blocks.nr >= NODES_MAX) {
		drawing->is_cut = true;
		return true;
	}
	bitmap_set(drawing->is_drawn.memory, rank);
	return drawn_vec_push(&drawing->blocks, rank);
}

static struct edge_run edges_of(const struct drawing *drawing, uint32_t rank)
{
	struct edge_run run = { 0 };
	run.edges = graph_edges(drawing->heap->graph, rank, &run.nr);
	return run;
}

/* --- which blocks ------------------------------------------------------------------------- */

/* What the blocks from `first` on point to. */
static bool go_down(struct drawing *drawing, size_t first)
{
	size_t end = drawing->blocks.nr;
	for (size_t i = first; i < end; i++) {
		struct edge_run run = edges_of(drawing, drawing->blocks.items[i]);
		for (uint64_t k = 0; k < run.nr; k++)
			if (run.edges[k] != EDGE_NONE &&
			    !draw_block(drawing, edge_rank(run.edges[k])))
				return false;
	}
	return true;
}

static bool leads_to(const struct edge_run *run, const uint64_t *blocks)
{
	for (uint64_t i = 0; i < run->nr; i++)
		if (run->edges[i] != EDGE_NONE &&
		    bitmap_test(blocks, edge_rank(run->edges[i])))
			return true;
	return false;
}

/* What points to the blocks of the bitmap: one pass over all. */
static bool go_up(struct drawing *drawing, const uint64_t *blocks)
{
	uint64_t nr_blocks = drawing->heap->graph->nr_blocks;
	for (uint64_t rank = 0; rank < nr_blocks; rank++) {
		struct edge_run run = edges_of(drawing, (uint32_t)rank);
		if (leads_to(&run, blocks) && !draw_block(drawing, (uint32_t)rank))
			return false;
	}
	return true;
}

static bool find_holders(struct drawing *drawing)
{
	struct area level = { 0 };
	size_t bytes = bitmap_words(drawing->heap->graph->nr_blocks + 1) * 8;
	bool good = area_reserve(&level, bytes);
	size_t first = 0;
	for (unsigned depth = 0; good && depth < drawing->heap->depth; depth++) {
		size_t end = drawing->blocks.nr;
		for (size_t i = first; i < end; i++)
			bitmap_set(level.memory, drawing->blocks.items[i]);
		first = end;
		good = go_up(drawing, level.memory);
	}
	area_release(&level);
	return good;
}

static bool find_held(struct drawing *drawing)
{
	size_t first = 0;
	bool good = true;
	for (unsigned depth = 0; good && depth < drawing->heap->depth; depth++) {
		size_t end = drawing->blocks.nr;
		good = go_down(drawing, first);
		first = depth ? end : 1;
	}
	return good;
}

/* --- how they look --------------------------------------------------------------------------- */

/* Text in a label: what would end it or steer GraphViz is escaped. */
static void put_label(struct str *out, const char *text)
{
	size_t put = 0;
	for (size_t size; *text && put < NAME_BYTES; text += size, put += size) {
		uint32_t code_point = utf8_decode(text, &size);
		if (code_point == UTF8_INVALID || utf8_is_hidden(code_point))
			str_puts(out, "?");
		else if (code_point == '"' || code_point == '\\')
			str_printf(out, "\\%c", *text);
		else
			str_append(out, text, size);
	}
	if (*text)
		str_puts(out, "...");
}

static void put_block(struct drawing *drawing, uint32_t rank)
{
	const struct heap_export *heap = drawing->heap;
	uint64_t address = 0, size = 0;
	space_block(&heap->graph->space, rank, &address, &size);
	str_printf(&drawing->out, "\tb%" PRIu32 " [label=\"", rank);
	put_label(&drawing->out, heap->type_names[heap->types[rank]]);
	str_printf(&drawing->out,
		   "\\n0x%" PRIx64 "\\n%" PRIu64 " bytes, retains %" PRIu64 "\"%s%s];\n",
		   address, size, heap->retained[rank],
		   rank == heap->rank ? ", penwidth=3" : "",
		   bitmap_test(heap->live, rank) ? "" : ", color=red");
}

static void put_edge(struct drawing *drawing, uint32_t from, const struct edge_at *at)
{
	const struct heap_export *heap = drawing->heap;
	if (drawing->nr_edges++ >= EDGES_MAX) {
		drawing->is_cut = true;
		return;
	}
	str_printf(&drawing->out, "\tb%" PRIu32 " -> b%" PRIu32, from,
		   edge_rank(at->edge));
	if (heap->graph->places.edges_are_kept) {
		size_t field = heap->field_at(heap->context, from, at->offset);
		str_puts(&drawing->out, " [label=\"");
		if (field != SIZE_MAX)
			put_label(&drawing->out, heap->field_names[field]);
		else
			str_printf(&drawing->out, "+%" PRIu64, at->offset);
		str_puts(&drawing->out, "\"]");
	}
	str_puts(&drawing->out, ";\n");
}

static void put_edges(struct drawing *drawing, uint32_t from)
{
	struct edge_walk walk = graph_walk(drawing->heap->graph, from);
	struct edge_at at;
	while (edge_walk_next(&walk, &at))
		if (bitmap_test(drawing->is_drawn.memory, edge_rank(at.edge)))
			put_edge(drawing, from, &at);
}

static void put_group(struct drawing *drawing, uint32_t group)
{
	const struct heap_export *heap = drawing->heap;
	struct edge_run run = entries_of_group(heap->entries, group);
	bool is_put = false;
	for (uint64_t i = 0; i < run.nr; i++) {
		uint32_t rank = edge_rank(run.edges[i]);
		if (!bitmap_test(drawing->is_drawn.memory, rank))
			continue;
		if (!is_put) {
			str_printf(&drawing->out, "\tr%" PRIu32 " [shape=box, label=\"",
				   group);
			put_label(&drawing->out, heap->group_names[group]);
			str_puts(&drawing->out, "\"];\n");
		}
		is_put = true;
		if (drawing->nr_edges++ < EDGES_MAX)
			str_printf(&drawing->out, "\tr%" PRIu32 " -> b%" PRIu32 ";\n",
				   group, rank);
		else
			drawing->is_cut = true;
	}
}

static void put_all(struct drawing *drawing)
{
	str_puts(&drawing->out, "digraph heap {\n\tnode [shape=ellipse, fontsize=10];\n"
				"\tedge [fontsize=9];\n\tlabel=\"");
	put_label(&drawing->out, drawing->heap->target);
	str_puts(&drawing->out, "\";\n");
	for (uint32_t group = 0; group < drawing->heap->entries->nr_groups; group++)
		put_group(drawing, group);
	for (size_t i = 0; i < drawing->blocks.nr; i++)
		put_block(drawing, drawing->blocks.items[i]);
	for (size_t i = 0; i < drawing->blocks.nr; i++)
		put_edges(drawing, drawing->blocks.items[i]);
	if (drawing->is_cut)
		str_printf(&drawing->out,
			   "\tcut [shape=note, label=\"there is more: only %u blocks and "
			   "%u pointers are drawn\"];\n",
			   NODES_MAX, EDGES_MAX);
	str_puts(&drawing->out, "}\n");
}

struct error *heap_export_dot(const struct heap_export *heap,
			      const struct heap_export_sink *sink)
{
	struct drawing drawing = { .heap = heap };
	size_t bytes = bitmap_words(heap->graph->nr_blocks + 1) * 8;
	bool good = area_reserve(&drawing.is_drawn, bytes) &&
		    draw_block(&drawing, heap->rank) && find_held(&drawing) &&
		    find_holders(&drawing);
	if (good)
		put_all(&drawing);
	struct error *error = good && !drawing.out.failed
				      ? sink->put(sink->context, &drawing.out)
				      : error_no_memory();
	drawn_vec_deinit(&drawing.blocks);
	area_release(&drawing.is_drawn);
	str_deinit(&drawing.out);
	return error;
}
