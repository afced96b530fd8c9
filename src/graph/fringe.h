/*
 * fringe: the blocks at a heap's edge, that one block alone holds and that hold nothing but such blocks.
 *
 * Texts, buffers, and small trees of them: often half of all blocks. No way leads through them to any other,
 * so a search for dominators or cycles goes without them: the dominator of each is its holder.
 *
 * One pass over all blocks, backwards, finds the most of them; of a list that goes to and fro in memory,
 * only its end. Time is linear, memory five eighths of a byte a block, and four for each in the fringe.
 */
#ifndef SEEP_GRAPH_FRINGE_H
#define SEEP_GRAPH_FRINGE_H

#include "graph/entries.h"

struct fringe {
	struct area is_in; /* bitmap by rank */
	uint32_t nr;
	struct area
		order; /* uint32_t[nr]: ranks; whoever one of them holds stands before it */
};

/* What an entry is, or a group holds, is not in the fringe. holders[r] becomes the holder of each
   block r that is and is held by one that is, too; of others it is left as it was. False: memory
   ran out. */
bool fringe_find(const struct graph *graph, const struct entries *entries,
		 uint32_t *holders, struct fringe *fringe) MUST_CHECK;
void fringe_deinit(struct fringe *fringe);

#endif
