/*
 * paths: the shortest ways from roots to blocks, by breadth-first search.
 */
#ifndef SEEP_GRAPH_PATHS_H
#define SEEP_GRAPH_PATHS_H

#include "graph/entries.h"
#include "graph/removal.h"

#define PATHS_ENTRY (UINT32_MAX - 1) /* the block is an entry itself */

struct paths {
	struct area
		before; /* uint32_t by rank: who comes before it; RANK_NONE: no way leads there */
	struct area order; /* uint32_t[nr]: ranks, the nearest first */
	uint64_t nr;
};

/* Ways that avoid what is removed. Blocks that `ends` has (NULL: none) end the ways that lead to
   them. Lost blocks are reached from the leaders of what is lost. */
struct error *paths_find(const struct graph *graph, const struct entries *entries,
			 const struct removal *removal, const uint64_t *ends,
			 struct paths *paths) MUST_CHECK;
void paths_deinit(struct paths *paths);

static inline uint32_t paths_before(const struct paths *paths, uint32_t rank)
{
	return ((const uint32_t *)paths->before.memory)[rank];
}

#endif
