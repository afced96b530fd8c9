/* graph: see graph.h. */
#include "graph/graph.h"

void graph_deinit(struct graph *graph)
{
	space_deinit(&graph->space);
	area_release(&graph->edges);
	area_release(&graph->degrees);
	area_release(&graph->bases);
	graph_large_vec_deinit(&graph->large);
	graph_root_vec_deinit(&graph->roots);
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

const uint32_t *graph_edges(const struct graph *graph, uint32_t rank, uint64_t *nr)
{
	const uint8_t *degrees = graph->degrees.memory;
	const uint64_t *bases = graph->bases.memory;
	const uint32_t *edges = graph->edges.memory;
	uint64_t at = bases[rank / BASE_BLOCKS];
	for (uint32_t i = rank & ~(BASE_BLOCKS - 1); i < rank; i++)
		at += degrees[i] == DEGREE_LARGE ? large_degree(graph, i) : degrees[i];
	*nr = degrees[rank] == DEGREE_LARGE ? large_degree(graph, rank) : degrees[rank];
	return edges + at;
}
