/*
 * dominators: which block keeps which alive, and how much goes with each.
 *
 * As a graph problem: the dominator tree of the blocks below a virtual root whose successors are
 * the entries (entries.h). A block dominates another if every way to that one leads through it.
 * What a block retains is the size of its subtree: what nothing would reach without it.
 *
 * Semi-NCA: L. Georgiadis, "Linear-Time Algorithms for Dominators and Related Problems",
 * Princeton 2005, chapter 2.3; path compression as in T. Lengauer and R. E. Tarjan, TOPLAS 1(1),
 * 1979. No recursion. While it works it takes 28 bytes a block and 4 an edge, afterwards 16 a block.
 */
#ifndef SEEP_GRAPH_DOMINATORS_H
#define SEEP_GRAPH_DOMINATORS_H

#include "graph/entries.h"

struct dominators {
	uint32_t nr;
	struct area
		parents; /* uint32_t by rank; RANK_NONE: the virtual root, nobody else */
	/* uint32_t[nr_ordered]: ranks, each after its parent. Those of live blocks come first. */
	struct area order;
	uint32_t nr_ordered, nr_live;
	struct area retained; /* uint64_t by rank: usable bytes */
};

struct error *dominators_find(const struct graph *graph, const struct entries *entries,
			      struct dominators *dominators) MUST_CHECK;
void dominators_deinit(struct dominators *dominators);

static inline uint32_t dominators_parent(const struct dominators *dominators,
					 uint32_t rank)
{
	return ((const uint32_t *)dominators->parents.memory)[rank];
}

static inline uint64_t dominators_retained(const struct dominators *dominators,
					   uint32_t rank)
{
	return ((const uint64_t *)dominators->retained.memory)[rank];
}

/* The tree, from parents to children. */
struct dominator_tree {
	uint32_t nr;
	struct area first;    /* uint32_t[nr + 2]: the virtual root has number nr */
	struct area children; /* uint32_t[nr]: ranks, ascending below each */
};

struct error *dominator_tree_make(const struct dominators *dominators,
				  struct dominator_tree *tree) MUST_CHECK;
void dominator_tree_deinit(struct dominator_tree *tree);

/* The children of a block, or of the virtual root (tree->nr). */
static inline const uint32_t *dominator_tree_children(const struct dominator_tree *tree,
						      uint32_t rank, uint32_t *nr)
{
	const uint32_t *first = tree->first.memory;
	*nr = first[rank + 1] - first[rank];
	return (const uint32_t *)tree->children.memory + first[rank];
}

/* Goes through the whole tree: `enter` comes before a block's children, `leave` after. */
struct dominator_visitor {
	void (*enter)(struct dominator_visitor *visitor, uint32_t rank);
	void (*leave)(struct dominator_visitor *visitor, uint32_t rank);
};
struct error *dominator_tree_walk(const struct dominator_tree *tree,
				  struct dominator_visitor *visitor) MUST_CHECK;

#endif
