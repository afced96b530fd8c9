/*
 * reach: see reach.h.
 *
 * Marking is bound by cache misses, so each block passes two short queues: in the first its
 * row is on its way to the cache, in the second its edges (after Cher, Hosking, Vitek,
 * "Software prefetching for mark-sweep garbage collection", ASPLOS 2004).
 */
#include "graph/reach.h"

#include <string.h>

#include "base/bitmap.h"

#define QUEUE 16u /* a power of two */

/* 64 blocks: whether each is marked, and whether it has edges to follow, side by side. */
struct state {
	uint64_t marks, edged;
};

struct edge_run {
	const uint32_t *edges;
	uint64_t nr;
};

struct marker {
	const struct graph *graph;
	struct area states;      /* struct state[] */
	enum edge_class weakest; /* edges of classes past this one are not followed */
	struct area stack;       /* uint32_t[]: marked, to be looked into */
	uint64_t depth;
	uint32_t rows[QUEUE]; /* first queue: blocks whose rows are being fetched */
	unsigned rows_head, rows_tail;
	struct edge_run runs[QUEUE]; /* second queue: their edges are being fetched */
	unsigned runs_head, runs_tail;
};

static bool reserve_stack(struct marker *marker, uint64_t more)
{
	size_t bytes = (marker->depth + more) * sizeof(uint32_t);
	return bytes <= marker->stack.bytes || area_reserve(&marker->stack, bytes);
}

/* Marks a block; one that has edges is remembered to be looked into. Whether it was marked
   before is as good as random, so there is no branch on it: the processor goes on to the
   next edge while this one's cache misses are under way. The stack has room. */
static inline void meet(struct marker *marker, uint32_t rank)
{
	struct state *state = (struct state *)marker->states.memory + rank / 64;
	uint64_t mask = (uint64_t)1 << (rank % 64);
	uint64_t is_new = ~state->marks & state->edged & mask;
	state->marks |= mask;
	((uint32_t *)marker->stack.memory)[marker->depth] = rank;
	marker->depth += is_new != 0;
}

static bool look_into(struct marker *marker, const struct edge_run *run)
{
	if (!reserve_stack(marker, run->nr + 1))
		return false;
	for (uint64_t i = 0; i < run->nr; i++) {
		uint32_t edge = run->edges[i];
		if (edge != EDGE_NONE && edge_class(edge) <= marker->weakest)
			meet(marker, edge_rank(edge));
	}
	return true;
}

static void fetch_row(struct marker *marker)
{
	uint32_t rank = ((uint32_t *)marker->stack.memory)[--marker->depth];
	__builtin_prefetch(graph_row(marker->graph, rank));
	marker->rows[marker->rows_tail++ % QUEUE] = rank;
}

static void fetch_edges(struct marker *marker)
{
	uint32_t rank = marker->rows[marker->rows_head++ % QUEUE];
	struct edge_run run;
	run.edges = graph_edges(marker->graph, rank, &run.nr);
	__builtin_prefetch(run.edges);
	marker->runs[marker->runs_tail++ % QUEUE] = run;
}

/* Keeps both queues full as long as the stack has blocks, then empties them. */
static bool drain(struct marker *marker)
{
	for (;;) {
		while (marker->depth > 0 && marker->rows_tail - marker->rows_head < QUEUE)
			fetch_row(marker);
		if (marker->rows_head != marker->rows_tail &&
		    marker->runs_tail - marker->runs_head < QUEUE) {
			fetch_edges(marker);
			continue;
		}
		if (marker->runs_head == marker->runs_tail)
			return true;
		if (!look_into(marker, &marker->runs[marker->runs_head++ % QUEUE]))
			return false;
	}
}

/* Copies marks in, with the graph's bits beside them, or out again. */
static bool load_states(struct marker *marker, const uint64_t *marks)
{
	size_t nr = bitmap_words(marker->graph->nr_blocks + 1);
	if (!area_reserve(&marker->states, nr * sizeof(struct state)))
		return false;
	struct state *states = marker->states.memory;
	const uint64_t *edged = marker->graph->edged.memory;
	for (size_t i = 0; i < nr; i++)
		states[i] = (struct state){ .marks = marks[i], .edged = edged ? edged[i] : 0 };
	return true;
}

static void store_states(struct marker *marker, uint64_t *marks)
{
	size_t nr = bitmap_words(marker->graph->nr_blocks + 1);
	const struct state *states = marker->states.memory;
	for (size_t i = 0; states && i < nr; i++)
		marks[i] = states[i].marks;
}

/* Marks what the roots reach, or what one block reaches (`rank`, unless RANK_NONE). */
static struct error *mark_from(const struct graph *graph, enum edge_class weakest,
			       struct area *marks, uint32_t rank)
{
	struct marker marker = { .graph = graph, .weakest = weakest };
	bool good = area_reserve(marks, bitmap_words(graph->nr_blocks + 1) * 8) &&
		    load_states(&marker, marks->memory) &&
		    reserve_stack(&marker, graph->roots.nr + 1);
	if (good && rank != RANK_NONE)
		meet(&marker, rank);
	for (size_t i = 0; good && rank == RANK_NONE && i < graph->roots.nr; i++) {
		uint32_t edge = graph->roots.items[i].edge;
		if (edge_class(edge) <= weakest)
			meet(&marker, edge_rank(edge));
	}
	good = good && drain(&marker);
	if (good)
		store_states(&marker, marks->memory);
	area_release(&marker.stack);
	area_release(&marker.states);
	return good ? NULL : error_no_memory();
}

struct error *reach_mark(const struct graph *graph, bool strict, struct reach *reach)
{
	*reach = (struct reach){ .strict = strict };
	struct error *error = mark_from(graph, EDGE_INTERIOR, &reach->any, RANK_NONE);
	if (!error && strict)
		error = mark_from(graph, EDGE_PROMOTED, &reach->sure, RANK_NONE);
	return error;
}

struct error *reach_add(const struct graph *graph, struct reach *reach, uint32_t rank)
{
	struct error *error = mark_from(graph, EDGE_INTERIOR, &reach->any, rank);
	if (!error && reach->strict)
		error = mark_from(graph, EDGE_PROMOTED, &reach->sure, rank);
	return error;
}

const uint64_t *reach_sure(const struct reach *reach)
{
	return reach->strict ? reach->sure.memory : reach->any.memory;
}

void reach_deinit(struct reach *reach)
{
	area_release(&reach->sure);
	area_release(&reach->any);
}

static bool own(uint32_t *owners, uint32_t rank, uint32_t owner, struct area *queue,
		uint64_t *tail)
{
	if (owners[rank] != RANK_NONE)
		return true;
	owners[rank] = owner;
	if (!area_reserve(queue, (*tail + 1) * sizeof(uint32_t)))
		return false;
	((uint32_t *)queue->memory)[(*tail)++] = rank;
	return true;
}

struct error *reach_attribute(const struct graph *graph, struct area *owners_area)
{
	struct area queue = { 0 };
	uint64_t head = 0, tail = 0;
	if (!area_reserve(owners_area, (graph->nr_blocks + 1) * sizeof(uint32_t)))
		return error_no_memory();
	uint32_t *owners = owners_area->memory;
	for (uint64_t i = 0; i < graph->nr_blocks; i++)
		owners[i] = RANK_NONE;
	bool good = true;
	for (size_t i = 0; good && i < graph->roots.nr; i++)
		good = own(owners, edge_rank(graph->roots.items[i].edge), (uint32_t)i,
			   &queue, &tail);
	while (good && head < tail) {
		uint32_t rank = ((uint32_t *)queue.memory)[head++];
		uint64_t nr = 0;
		const uint32_t *edges = graph_edges(graph, rank, &nr);
		for (uint64_t i = 0; good && i < nr; i++)
			if (edges[i] != EDGE_NONE)
				good = own(owners, edge_rank(edges[i]), owners[rank],
					   &queue, &tail);
	}
	area_release(&queue);
	return good ? NULL : error_no_memory();
}
