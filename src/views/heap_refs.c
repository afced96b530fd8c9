/* heap_refs and heap_holders: what a block points to, and what points to it. */
#include "views/heap_asked.h"

#include <string.h>

enum { OFFSET, DISTANCE, RETAINED, SIZE, ADDRESS, CERTAINTY, FIELD, TYPE, NR_COLUMNS };

static const char *const class_words[] = {
	[EDGE_START] = "start",
	[EDGE_PROMOTED] = "promoted",
	[EDGE_INTERIOR] = "interior",
};

/* --- what it points to --------------------------------------------------------------- */

/* Both views have the same, but for what stands at the other end. */
#define COLUMNS(other)                                                                   \
	{                                                                                \
		[OFFSET] = { "offset", "from", HEAP_COUNT },                             \
		[DISTANCE] = { "target_offset", "into", HEAP_COUNT },                    \
		[RETAINED] = { "retained_bytes", "retained", HEAP_BYTES },               \
		[SIZE] = { "bytes", "bytes", HEAP_BYTES },                               \
		[ADDRESS] = { "address", "address", HEAP_ADDRESS },                      \
		[CERTAINTY] = { "edge", NULL, HEAP_TEXT },                               \
		[FIELD] = { "field", "field", HEAP_TEXT },                               \
		[TYPE] = { other, other, HEAP_TEXT },                                    \
	}

static const struct heap_column ref_columns[] = COLUMNS("type");
static const struct heap_column holder_columns[] = COLUMNS("holder");

/* The row of an edge of `from`, with the block `other` at one of its ends. */
static struct error *put_edge(struct heap_question *question, const struct edge_at *at,
			      uint32_t from, uint32_t other)
{
	struct heap_row *row = heap_row_add(question->report, 0);
	uint64_t address = 0, size = 0;
	if (!row)
		return error_no_memory();
	space_block(&question->graph->space, other, &address, &size);
	if (question->graph->places.edges_are_kept) {
		heap_put(row, OFFSET, at->offset);
		heap_put(row, DISTANCE, at->distance);
	} else if (edge_class(at->edge) == EDGE_START) {
		heap_put(row, DISTANCE, 0);
	}
	heap_put(row, RETAINED, dominators_retained(&question->dominators, other));
	heap_put(row, SIZE, size);
	heap_put(row, ADDRESS, address);
	struct error *error =
		heap_put_copy(row, CERTAINTY, class_words[edge_class(at->edge)]);
	if (!error && question->graph->places.edges_are_kept)
		error = heap_put_field(question, row, FIELD, from, at->offset);
	return error ? error : heap_put_text(row, TYPE, heap_block_name(question, other));
}

static struct error *say(struct heap_question *question, const struct heap_asked *asked,
			 const char *does, const char *more)
{
	struct heap_report *report = question->report;
	struct str words = { 0 };
	heap_put_plural(&words, report->rows.nr + report->rows_left_out, "word");
	struct error *error =
		heap_say(report, "%s at 0x%llx %s %s%s", asked->name,
			 (unsigned long long)heap_address(question, asked->rank), does,
			 str_text(&words), more);
	str_deinit(&words);
	return error;
}

static struct error *answer_refs(struct heap_question *question)
{
	struct heap_asked asked;
	struct edge_at at;
	uint64_t nr = 0, max = question->options->max_rows;
	struct error *error =
		heap_asked_block(question, question->options->asked, &asked);
	struct edge_walk walk = { 0 };
	if (!error)
		walk = graph_walk(question->graph, asked.rank);
	while (!error && edge_walk_next(&walk, &at))
		if (heap_is_wanted(question, edge_rank(at.edge)) && (!max || nr++ < max))
			error = put_edge(question, &at, asked.rank, edge_rank(at.edge));
	question->report->rows_left_out = max && nr > max ? nr - max : 0;
	if (!error)
		error = say(question, &asked, "points to blocks with", "");
	heap_asked_deinit(&asked);
	return error;
}

const struct heap_view heap_refs = {
	.name = "refs",
	.needs_edge_places = true,
	.columns = ref_columns,
	.nr_columns = NR_COLUMNS,
	.takes_asked = true,
	.answer = answer_refs,
};

/* --- what points to it --------------------------------------------------------------- */

static struct error *put_root(struct heap_question *question,
			      const struct graph_root *root)
{
	struct heap_row *row = heap_row_add(question->report, 0);
	if (!row)
		return error_no_memory();
	if (root->where)
		heap_put(row, ADDRESS, root->where);
	struct error *error =
		heap_put_copy(row, CERTAINTY, class_words[edge_class(root->edge)]);
	return error ? error
		     : heap_put_text(row, TYPE,
				     root_groups_place(&question->groups, root));
}

static struct error *put_holding_roots(struct heap_question *question, uint32_t rank,
				       uint64_t *nr)
{
	const struct graph_root_vec *roots = question->groups.roots;
	uint64_t max = question->options->max_rows;
	struct error *error = NULL;
	for (size_t i = 0; !error && i < roots->nr; i++)
		if (edge_rank(roots->items[i].edge) == rank && (!max || (*nr)++ < max))
			error = put_root(question, &roots->items[i]);
	return error;
}

static struct error *put_holding_blocks(struct heap_question *question, uint32_t rank,
					uint64_t *nr)
{
	const struct graph *graph = question->graph;
	uint64_t max = question->options->max_rows;
	struct error *error = NULL;
	for (uint32_t from = 0; !error && from < graph->nr_blocks; from++) {
		if (!heap_is_wanted(question, from) ||
		    !graph_points_to(graph, from, rank))
			continue;
		struct edge_walk walk = graph_walk(graph, from);
		struct edge_at at;
		while (!error && edge_walk_next(&walk, &at))
			if (edge_rank(at.edge) == rank && (!max || (*nr)++ < max))
				error = put_edge(question, &at, from, from);
	}
	return error;
}

static struct error *answer_holders(struct heap_question *question)
{
	struct heap_asked asked;
	uint64_t nr_roots = 0, nr = 0, max = question->options->max_rows;
	struct error *error =
		heap_asked_block(question, question->options->asked, &asked);
	/* A filter is of blocks. */
	if (!error && !question->unwanted)
		error = put_holding_roots(question, asked.rank, &nr_roots);
	nr = nr_roots;
	if (!error)
		error = put_holding_blocks(question, asked.rank, &nr);
	question->report->rows_left_out = max && nr > max ? nr - max : 0;
	if (!error)
		error = say(question, &asked, "is held by",
			    heap_is_live(question, asked.rank) ? "" : ", and is lost");
	heap_asked_deinit(&asked);
	return error;
}

const struct heap_view heap_holders = {
	.name = "holders",
	.needs_edge_places = true,
	.columns = holder_columns,
	.nr_columns = NR_COLUMNS,
	.takes_asked = true,
	.answer = answer_holders,
};
