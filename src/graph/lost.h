/*
 * lost: what became of the blocks that no root reaches.
 *
 * As a graph problem: the subgraph of lost blocks, its strongly connected components, and
 * in the condensation the components that no other leads to. Each of those is a root leak
 * (one block) or a root cycle (several): whoever frees it frees the tree that hangs on it.
 * One block stands for it, the "leader", and is definitely lost; all others are indirectly
 * lost. A block belongs to the one root leak that all ways to it come from, or is shared.
 *
 * Start and interior pointers are told apart inside a root cycle: the leader is a member
 * that no other member holds by its start, if there is one; otherwise, as in Memcheck, the
 * one with the lowest address.
 *
 * Components: components.h. Time and memory are linear in lost blocks and their edges.
 */
#ifndef SEEP_GRAPH_LOST_H
#define SEEP_GRAPH_LOST_H

#include "graph/graph.h"

#define LOST_SHARED UINT32_MAX /* owner: held by several root leaks */

struct lost_root {
	uint32_t leader;  /* rank */
	uint32_t members; /* blocks of its component; more than 1: a cycle */
	uint64_t blocks;  /* that only it keeps from being free, itself included */
	uint64_t bytes;   /* of those: retained */
};
DEFINE_VEC(lost_root_vec, struct lost_root);

struct lost {
	uint32_t nr;        /* lost blocks */
	struct area ranks;  /* uint32_t[nr], ascending */
	struct area sizes;  /* uint64_t[nr]: usable bytes */
	struct area owners; /* uint32_t[nr]: index into roots, LOST_SHARED */
	struct area
		holders; /* uint32_t[nr]: rank of a lost block that points to it, or NONE */
	struct lost_root_vec roots; /* ascending by leader */
};

/* `reached` is the bitmap of blocks that some root reaches. */
struct error *lost_find(const struct graph *graph, const uint64_t *reached,
			struct lost *lost) MUST_CHECK;
void lost_deinit(struct lost *lost);

#endif
