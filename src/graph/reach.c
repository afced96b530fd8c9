/*
 * reach: see reach.h.
 *
 * Marking is bound by cache misses: the degree, base and edges of each block met. So blocks
 * wait in a short queue between being met and being looked into, and what they need is
 * fetched in the meantime (as in Cher, Hosking, Vitek, "Software prefetching for mark-sweep
 * garbage collection", ASPLOS 2004).
 */
#include "graph/reach.h"

#include "base/bitmap.h"

#define QUEUE 32u /* a power of two */

struct marker {
	const struct graph *graph;
	uint64_t *marks;
	enum edge_class weakest; /* edges of classes past this one are not followed */
	struct area stack;       /* uint32_t[] */
	uint64_t depth;
	uint32_t queue[QUEUE];
	unsigned head, tail;
};

/* Marks a block; one that has edges is remembered to be looked into. */
static inline bool meet(struct marker *marker, uint32_t rank)
{
	if (!bitmap_claim(marker->marks, rank))
		return true;
	if (((const uint8_t *)marker->graph->degrees.memory)[rank] == 0)
		return true;
	if ((marker->depth + 1) * sizeof(uint32_t) > marker->stack.bytes &&
	    !area_reserve(&marker->stack, (marker->depth + 1) * sizeof(uint32_t)))
		return false;
	((uint32_t *)marker->stack.memory)[marker->depth++] = rank;
	return true;
}

static bool look_into(struct marker *marker, uint32_t rank)
{
	uint64_t nr = 0;
	const uint32_t *edges = graph_edges(marker->graph, rank, &nr);
	for (uint64_t i = 0; i < nr; i++) {
		uint32_t edge = edges[i];
		if (edge == EDGE_NONE || edge_class(edge) > marker->weakest)
			continue;
		if (!meet(marker, edge_rank(edge)))
			return false;
	}
	return true;
}

/* Moves blocks from the stack into the queue, fetching first where their edges begin and
   then, halfway through the queue, the edges. */
static void refill(struct marker *marker)
{
	const struct graph *graph = marker->graph;
	while (marker->depth > 0 && marker->tail - marker->head < QUEUE) {
		uint32_t rank = ((uint32_t *)marker->stack.memory)[--marker->depth];
		__builtin_prefetch((const uint64_t *)graph->bases.memory +
				   rank / BASE_BLOCKS);
		__builtin_prefetch((const uint8_t *)graph->degrees.memory +
				   (rank & ~(BASE_BLOCKS - 1)));
		marker->queue[marker->tail++ % QUEUE] = rank;
	}
	if (marker->tail - marker->head > QUEUE / 2) {
		uint32_t rank = marker->queue[(marker->head + QUEUE / 2) % QUEUE];
		uint64_t base =
			((const uint64_t *)graph->bases.memory)[rank / BASE_BLOCKS];
		__builtin_prefetch((const uint32_t *)graph->edges.memory + base + 8);
	}
}

static bool drain(struct marker *marker)
{
	for (;;) {
		refill(marker);
		if (marker->head == marker->tail)
			return true;
		if (!look_into(marker, marker->queue[marker->head++ % QUEUE]))
			return false;
	}
}

static struct error *mark_from_roots(const struct graph *graph, enum edge_class weakest,
				     struct area *marks)
{
	if (!area_reserve(marks, bitmap_words(graph->nr_blocks + 1) * 8))
		return error_no_memory();
	struct marker marker = {
		.graph = graph,
		.marks = marks->memory,
		.weakest = weakest,
	};
	bool good = true;
	for (size_t i = 0; good && i < graph->roots.nr; i++) {
		uint32_t edge = graph->roots.items[i].edge;
		if (edge_class(edge) <= weakest)
			good = meet(&marker, edge_rank(edge));
	}
	good = good && drain(&marker);
	area_release(&marker.stack);
	return good ? NULL : error_no_memory();
}

struct error *reach_mark(const struct graph *graph, bool strict, struct reach *reach)
{
	*reach = (struct reach){ .strict = strict };
	struct error *error = mark_from_roots(graph, EDGE_INTERIOR, &reach->any);
	if (!error && strict)
		error = mark_from_roots(graph, EDGE_PROMOTED, &reach->sure);
	return error;
}

static struct error *mark_from(const struct graph *graph, enum edge_class weakest,
			       struct area *marks, uint32_t rank)
{
	struct marker marker = {
		.graph = graph,
		.marks = marks->memory,
		.weakest = weakest,
	};
	bool good = meet(&marker, rank) && drain(&marker);
	area_release(&marker.stack);
	return good ? NULL : error_no_memory();
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
