/*
 * dominators: which block keeps which alive, and how much goes with each.
 *
 * As a graph problem: the dominator tree of the blocks below a virtual root whose successors are
 * the groups of entries and the entries of no group (entries.h). Nodes are the blocks, by rank, and
 * behind them the groups. A block dominates another if every way to that one leads through it.
 * What a block retains is the size of its subtree: what nothing would reach without it.
 *
 * Semi-NCA: L. Georgiadis, "Linear-Time Algorithms for Dominators and Related Problems",
 * Princeton 2005, chapter 2.3; path compression as in T. Lengauer and R. E. Tarjan, TOPLAS 1(1),
 * 1979. No recursion. While it works it takes 16 bytes a block; of those that are not in the fringe 28 more,
 * or 16 and 24 for each on the longest way, and 8 for each edge by which the search did not come to a
 * block first. Afterwards 12 a block.
 */
#ifndef SEEP_GRAPH_DOMINATORS_H
#define SEEP_GRAPH_DOMINATORS_H

#include "graph/entries.h"

struct dominators {
	uint32_t nr_blocks, nr; /* nodes: nr_blocks, then groups */
	struct area
		parents; /* uint32_t by node; RANK_NONE: nobody but the virtual root */
	struct area retained; /* uint64_t by node: usable bytes */
	uint32_t
		nr_reached; /* nodes that the virtual root reaches: all, if nothing is wrong */
};

struct error *dominators_find(const struct graph *graph, const struct entries *entries,
			      struct dominators *dominators) MUST_CHECK;
/* Whether dominators that somebody else found are a tree, with what each retains as it may be. */
bool dominators_are_tree(const struct dominators *dominators);
void dominators_deinit(struct dominators *dominators);

static inline uint32_t dominators_parent(const struct dominators *dominators,
					 uint32_t node)
{
	return ((const uint32_t *)dominators->parents.memory)[node];
}

static inline uint64_t dominators_retained(const struct dominators *dominators,
					   uint32_t node)
{
	return ((const uint64_t *)dominators->retained.memory)[node];
}

/* The tree, from parents to children. */
struct dominator_tree {
	uint32_t nr;
	struct area first;    /* uint32_t[nr + 2]: the virtual root has number nr */
	struct area children; /* uint32_t[nr]: nodes, ascending below each */
};

struct error *dominator_tree_make(const struct dominators *dominators,
				  struct dominator_tree *tree) MUST_CHECK;
void dominator_tree_deinit(struct dominator_tree *tree);

/* The children of a node, or of the virtual root (tree->nr). */
static inline const uint32_t *dominator_tree_children(const struct dominator_tree *tree,
						      uint32_t rank, uint32_t *nr)
{
	const uint32_t *first = tree->first.memory;
	*nr = first[rank + 1] - first[rank];
	return (const uint32_t *)tree->children.memory + first[rank];
}

/* Goes through the whole tree: `enter` comes before a node's children, `leave` after. */
struct dominator_visitor {
	/* May be NULL: the node will be entered soon, and what of it will be asked may be fetched. */
	void (*expect)(struct dominator_visitor *visitor, uint32_t node);
	void (*enter)(struct dominator_visitor *visitor, uint32_t node);
	void (*leave)(struct dominator_visitor *visitor, uint32_t node);
};
struct error *dominator_tree_walk(const struct dominator_tree *tree,
				  struct dominator_visitor *visitor) MUST_CHECK;

#endif
