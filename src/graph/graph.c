/* graph: see graph.h. */
#include "graph/graph.h"

#include <string.h>

void graph_deinit(struct graph *graph)
{
	space_deinit(&graph->space);
	area_release(&graph->edges);
	area_release(&graph->rows);
	area_release(&graph->edged);
	graph_large_vec_deinit(&graph->large);
	graph_root_vec_deinit(&graph->roots);
	graph_root_vec_deinit(&graph->stale);
	*graph = (struct graph){ 0 };
}

static uint64_t large_degree(const struct graph *graph, uint32_t rank)
{
	size_t low = 0, high = graph->large.nr;
	while (low < high) {
		size_t middle = (low + high) / 2;
		if (graph->large.items[middle].rank < rank)
			low = middle + 1;
		else
			high = middle;
	}
	return graph->large.items[low].degree;
}

/* The sum of eight bytes, none of which may be DEGREE_LARGE. */
static uint64_t sum_of_bytes(uint64_t bytes)
{
	const uint64_t odd = 0x00ff00ff00ff00ffu;
	uint64_t pairs = (bytes & odd) + ((bytes >> 8) & odd);
	return (pairs * 0x0001000100010001u) >> 48;
}

/* Edges of the `nr` blocks that share a row with, and stand before, the one asked for.
   Without a loop over them: its length would be different each time, and mispredicted. */
static bool sum_of_degrees(const uint8_t *degrees, unsigned nr, uint64_t *sum)
{
	uint64_t words[2];
	memcpy(words, degrees, sizeof(words));
	unsigned low = nr < 8 ? nr : 8, high = nr - low;
	words[0] &= low ? UINT64_MAX >> (64 - 8 * low) : 0;
	words[1] &= high ? UINT64_MAX >> (64 - 8 * high) : 0;
	/* A byte of 0xff is one whose complement is zero (Mycroft's test, conservative). */
	const uint64_t ones = 0x0101010101010101u, tops = 0x8080808080808080u;
	uint64_t large = ((~words[0] - ones) & words[0] & tops) |
			 ((~words[1] - ones) & words[1] & tops);
	*sum = sum_of_bytes(words[0]) + sum_of_bytes(words[1]);
	return large == 0;
}

static uint64_t sum_of_large_degrees(const struct graph *graph, uint32_t rank)
{
	const uint8_t *degrees = graph_row(graph, rank)->degrees;
	uint64_t sum = 0;
	for (uint32_t i = 0; i < rank % ROW_BLOCKS; i++)
		sum += degrees[i] == DEGREE_LARGE
			       ? large_degree(graph, rank - rank % ROW_BLOCKS + i)
			       : degrees[i];
	return sum;
}

const uint32_t *graph_edges(const struct graph *graph, uint32_t rank, uint64_t *nr)
{
	const struct graph_row *row = graph_row(graph, rank);
	uint64_t before = 0;
	if (!sum_of_degrees(row->degrees, rank % ROW_BLOCKS, &before))
		before = sum_of_large_degrees(graph, rank);
	*nr = row->degrees[rank % ROW_BLOCKS];
	if (*nr == DEGREE_LARGE)
		*nr = large_degree(graph, rank);
	return (const uint32_t *)graph->edges.memory + row->base + before;
}
