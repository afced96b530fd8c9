/*
 * reach: which blocks can be reached from the roots, and how surely.
 *
 * As a graph problem: two closures of the roots. `sure` follows only edges that stand for
 * the start of a block (EDGE_START, EDGE_PROMOTED) from roots that do; `any` follows all
 * edges from all roots. Memcheck's kinds (its nine cases) are then: in `sure` still
 * reachable; else in `any` possibly lost; else lost.
 */
#ifndef SEEP_GRAPH_REACH_H
#define SEEP_GRAPH_REACH_H

#include "graph/graph.h"

struct reach {
	struct area sure, any; /* bitmaps by rank */
	bool strict;
};

/* Without `strict` interior pointers count as sure, and `sure` equals `any`. */
struct error *reach_mark(const struct graph *graph, bool strict, unsigned nr_threads,
			 struct reach *reach) MUST_CHECK;
void reach_deinit(struct reach *reach);

/* Adds some blocks, and all that they reach, to both closures. */
struct error *reach_add(const struct graph *graph, struct reach *reach,
			const uint32_t *ranks, uint64_t nr) MUST_CHECK;

/* Whether marks that somebody else made leave nothing out: no root and no marked block leads to one that
   is not marked. So nothing that is held counts as lost by them. */
bool reach_is_closed(const struct graph *graph, const uint64_t *marks);

/* The bitmap of blocks that are still reachable for sure. */
const uint64_t *reach_sure(const struct reach *reach);

/*
 * For each block of `any`, the root (an index into graph->roots) that a breadth-first
 * search reaches it from first; RANK_NONE for the others. uint32_t[nr_blocks].
 */
struct error *reach_attribute(const struct graph *graph, struct area *owners) MUST_CHECK;

#endif
