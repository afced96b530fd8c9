/*
 * topmost: blocks above which, in the dominator tree, there is none of their own type: what a type retains at
 * least is what these retain.
 */
#ifndef SEEP_ANALYSE_TOPMOST_H
#define SEEP_ANALYSE_TOPMOST_H

#include "analyse/block_table.h"
#include "graph/dominators.h"

/* *bits becomes a bitmap by rank. */
struct error *topmost_find(const struct dominators *dominators,
			   const struct block_table *types, struct area *bits) MUST_CHECK;

#endif
