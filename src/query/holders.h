/*
 * holders: the edges of a graph, and its roots, by the block that they lead to.
 *
 * As a graph problem: the transposed adjacency, as indices. 4 bytes an edge and 4 a block.
 */
#ifndef SEEP_QUERY_HOLDERS_H
#define SEEP_QUERY_HOLDERS_H

#include "graph/graph.h"

struct holders {
	struct area first;   /* uint32_t[nr_blocks + 1] */
	struct area indices; /* uint32_t: of edges or roots, ascending for each block */
};

/* Graphs of more edges have no holders. */
#define HOLDERS_MOST UINT32_MAX

struct error *holders_of_edges(const struct graph *graph,
			       struct holders *holders) MUST_CHECK;
struct error *holders_of_roots(const struct graph *graph,
			       const struct graph_root_vec *roots,
			       struct holders *holders) MUST_CHECK;
void holders_deinit(struct holders *holders);

/* What leads to a block. */
static inline const uint32_t *holders_of(const struct holders *holders, uint32_t rank,
					 uint32_t *nr)
{
	const uint32_t *first = holders->first.memory;
	*nr = first[rank + 1] - first[rank];
	return (const uint32_t *)holders->indices.memory + first[rank];
}

/* The block that an edge stands in. */
uint32_t holders_source(const struct graph *graph, uint64_t edge);

#endif
