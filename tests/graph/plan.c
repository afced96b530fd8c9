/* plan: see plan.h. */
#include "graph/plan.h"

#include <stdlib.h>
#include <string.h>

#include "graph/builder.h"

#define FIRST_SPAN 0x555500000000u
#define SPAN_APART 0x100000u
#define HEADER     16u
#define WINDOW     (512u << 10)
#define WORD_BYTES 8u

DEFINE_VEC(chunk_vec, struct builder_chunk);

/* One span in the making. */
struct span {
	size_t first, nr; /* blocks of the plan */
	uint64_t start, end;
	bool mapped;
};
DEFINE_VEC(span_vec, struct span);

struct maker {
	struct plan *plan;
	struct builder builder;
	struct span_vec spans;
	/* Edges by the block they start from: items[first[i] … first[i + 1]]. */
	size_t *first;
	uint64_t *words; /* their words, in that order */
	uint64_t *contents;
	struct chunk_vec chunks;
};

static void must(bool good)
{
	if (!good)
		abort();
}

static void must_succeed(struct error *error)
{
	must(error == NULL);
}

uint32_t plan_block(struct plan *plan, struct plan_block block)
{
	must(plan_block_vec_push(&plan->blocks, block));
	return (uint32_t)plan->blocks.nr - 1;
}

void plan_edge(struct plan *plan, uint32_t from, uint32_t to, uint64_t distance)
{
	struct plan_edge edge = { .from = from, .to = to, .distance = distance };
	must(plan_edge_vec_push(&plan->edges, edge));
}

void plan_deinit(struct plan *plan)
{
	plan_block_vec_deinit(&plan->blocks);
	plan_edge_vec_deinit(&plan->edges);
}

/* --- layout ---------------------------------------------------------------------------- */

static bool begins_span(const struct plan *plan, size_t i)
{
	const struct plan_block *block = &plan->blocks.items[i];
	return i == 0 || (block->flags & (PLAN_MAPPED | PLAN_NEW_SPAN)) ||
	       (block[-1].flags & PLAN_MAPPED);
}

/* Addresses and ranks of the blocks, and the spans they make. */
static void lay_out(struct maker *maker)
{
	uint64_t at = FIRST_SPAN;
	uint32_t rank = 0;
	for (size_t i = 0; i < maker->plan->blocks.nr; i++) {
		struct plan_block *block = &maker->plan->blocks.items[i];
		bool mapped = block->flags & PLAN_MAPPED;
		must(mapped ? block->size % 16 == 0 : block->size % 16 == 8);
		if (begins_span(maker->plan, i)) {
			/* Not all spans begin where a group of the space does. */
			at = (at + 2 * SPAN_APART) / SPAN_APART * SPAN_APART +
			     rank % 64 * 16;
			struct span span = { .first = i, .start = at, .mapped = mapped };
			must(span_vec_push(&maker->spans, span));
		}
		struct span *span = &maker->spans.items[maker->spans.nr - 1];
		span->nr++;
		block->address = mapped ? at : at + HEADER;
		block->rank = block->flags & PLAN_FREE ? RANK_NONE : rank++;
		at += mapped ? block->size : block->size + WORD_BYTES;
		/* The chunk that ends the chain. */
		span->end = mapped ? at : at + 2 * HEADER;
	}
}

/* Counting sort of the edges by where they start. */
static void sort_edges(struct maker *maker)
{
	const struct plan *plan = maker->plan;
	size_t nr = plan->blocks.nr;
	maker->first = calloc(nr + 2, sizeof(*maker->first));
	maker->words = calloc(plan->edges.nr + 1, sizeof(*maker->words));
	must(maker->first && maker->words);
	for (size_t i = 0; i < plan->edges.nr; i++)
		if (plan->edges.items[i].from != PLAN_ROOT)
			maker->first[plan->edges.items[i].from + 2]++;
	for (size_t i = 2; i < nr + 2; i++)
		maker->first[i] += maker->first[i - 1];
	for (size_t i = 0; i < plan->edges.nr; i++) {
		const struct plan_edge *edge = &plan->edges.items[i];
		if (edge->from != PLAN_ROOT)
			maker->words[maker->first[edge->from + 1]++] =
				plan->blocks.items[edge->to].address + edge->distance;
	}
}

/* --- building -------------------------------------------------------------------------- */

static void fill_span(struct maker *maker, const struct span *span)
{
	maker->contents = calloc(1, span->end - span->start);
	must(maker->contents != NULL);
	for (size_t i = span->first; i < span->first + span->nr; i++) {
		const struct plan_block *block = &maker->plan->blocks.items[i];
		size_t nr = maker->first[i + 1] - maker->first[i];
		must(nr <= block->size / WORD_BYTES);
		if (nr)
			memcpy(maker->contents +
				       (block->address - span->start) / WORD_BYTES,
			       maker->words + maker->first[i], nr * WORD_BYTES);
	}
}

static void add_chunk(struct maker *maker, uint64_t address, uint64_t size,
		      enum builder_kind kind)
{
	struct builder_chunk chunk = { .address = address, .size = size, .kind = kind };
	must(chunk_vec_push(&maker->chunks, chunk));
}

/* The chunks whose first byte is in the window; *next is the first that is not. */
static void list_chunks(struct maker *maker, const struct span *span, uint64_t end,
			size_t *next)
{
	const struct plan_block *blocks = maker->plan->blocks.items;
	uint64_t header = span->mapped ? 0 : HEADER;
	maker->chunks.nr = 0;
	for (; *next < span->first + span->nr && blocks[*next].address - header < end;
	     ++*next)
		add_chunk(maker, blocks[*next].address, blocks[*next].size,
			  blocks[*next].flags & PLAN_FREE ? BUILDER_GAP : BUILDER_BLOCK);
	if (!span->mapped && *next == span->first + span->nr &&
	    span->end - 2 * HEADER < end) {
		add_chunk(maker, span->end - HEADER, 0, BUILDER_GAP);
		++*next;
	}
}

static void note_hints(struct maker *maker, size_t from, size_t to)
{
	for (size_t i = from; i < to && i < maker->plan->blocks.nr; i++) {
		const struct plan_block *block = &maker->plan->blocks.items[i];
		if (block->rank == RANK_NONE)
			continue;
		must_succeed(builder_hint(&maker->builder, block->rank, block->hints));
		if (block->subobject)
			must_succeed(builder_subobject(&maker->builder, block->rank,
						       block->subobject));
	}
}

static void stream_span(struct maker *maker, const struct span *span)
{
	size_t window = maker->plan->window_bytes ? maker->plan->window_bytes : WINDOW;
	size_t next = span->first, turn = 0;
	fill_span(maker, span);
	for (uint64_t at = span->start; at < span->end; at += window, turn++) {
		uint64_t end = span->end - at < window ? span->end : at + window;
		unsigned slot = turn % BUILDER_SLOTS;
		size_t before = next;
		list_chunks(maker, span, end, &next);
		const struct builder_window taken = {
			.address = at,
			.nr_words = (end - at) / WORD_BYTES,
			.slot = slot,
			.chunks = maker->chunks.items,
			.nr_chunks = maker->chunks.nr,
		};
		must_succeed(
			builder_scan(&maker->builder, slot,
				     maker->contents + (at - span->start) / WORD_BYTES,
				     taken.nr_words));
		must_succeed(builder_window(&maker->builder, &taken));
		size_t last = span->first + span->nr;
		note_hints(maker, before, next < last ? next : last);
	}
	free(maker->contents);
}

static void add_roots(struct maker *maker)
{
	const struct plan *plan = maker->plan;
	for (size_t i = 0; i < plan->edges.nr; i++) {
		const struct plan_edge *edge = &plan->edges.items[i];
		if (edge->from == PLAN_ROOT)
			must_succeed(builder_root(&maker->builder,
						  plan->blocks.items[edge->to].address +
							  edge->distance,
						  0, i));
	}
}

void plan_build(struct plan *plan, struct graph *graph)
{
	struct maker maker = { .plan = plan };
	builder_init(&maker.builder);
	maker.builder.wants_edge_places = maker.builder.wants_roots = plan->places;
	lay_out(&maker);
	sort_edges(&maker);
	for (size_t i = 0; i < maker.spans.nr; i++)
		must_succeed(builder_add_span(&maker.builder, maker.spans.items[i].start,
					      maker.spans.items[i].end,
					      maker.spans.items[i].mapped));
	must_succeed(builder_ready(&maker.builder));
	for (size_t i = 0; i < maker.spans.nr; i++)
		stream_span(&maker, &maker.spans.items[i]);
	must_succeed(builder_blocks_done(&maker.builder));
	add_roots(&maker);
	must_succeed(builder_finish(&maker.builder,
				    plan->nr_threads ? plan->nr_threads : 1, graph));
	builder_deinit(&maker.builder);
	span_vec_deinit(&maker.spans);
	chunk_vec_deinit(&maker.chunks);
	free(maker.first);
	free(maker.words);
}
