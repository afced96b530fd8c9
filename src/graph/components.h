/*
 * components: the strongly connected parts of some of the blocks: those that reach each other.
 *
 * R. Tarjan, "Depth-first search and linear graph algorithms", SIAM J. Comput. 1(2), 1972, without
 * recursion. Time and memory are linear in the blocks and their edges.
 *
 * Blocks are known by their place among those that count (0 … nr - 1, in order of ranks).
 */
#ifndef SEEP_GRAPH_COMPONENTS_H
#define SEEP_GRAPH_COMPONENTS_H

#include "base/bitmap.h"
#include "graph/graph.h"

#define COMPONENTS_NONE UINT32_MAX

struct components {
	const struct graph *graph;
	const uint64_t
		*excluded;  /* bitmap by rank: blocks that do not count; the caller's */
	uint32_t nr;        /* blocks that do */
	struct area ranks;  /* uint32_t[nr] */
	struct area before; /* uint32_t per 64 ranks: such blocks before them */
	struct area
		numbers; /* uint32_t[nr]: its component; edges lead to lower numbers */
	uint32_t nr_components;
	struct area members,
		first; /* places, ascending: members[first[c] … first[c + 1]] */
};

struct error *components_find(const struct graph *graph, const uint64_t *excluded,
			      struct components *components) MUST_CHECK;
/* The blocks that are in a component of several: *cyclic becomes a bitmap by rank, and *parts
   uint32_t for each of these, by rank: its component, counted from 0 among such. */
struct error *components_cyclic(const struct graph *graph, struct area *cyclic,
				struct area *parts, uint64_t *nr_cyclic) MUST_CHECK;
/* As components_find() of the blocks that are not excluded, whose parts are known. False: there cannot be
   such parts. */
struct error *components_adopt(const struct graph *graph, const uint64_t *excluded,
			       const uint32_t *parts, uint64_t nr_parts, bool *fits,
			       struct components *components) MUST_CHECK;
void components_deinit(struct components *components);

static inline uint32_t components_rank(const struct components *components,
				       uint32_t place)
{
	return ((const uint32_t *)components->ranks.memory)[place];
}

static inline uint32_t components_of(const struct components *components, uint32_t place)
{
	return ((const uint32_t *)components->numbers.memory)[place];
}

/* Whether a block counts. */
static inline bool components_has(const struct components *components, uint32_t rank)
{
	return !bitmap_test(components->excluded, rank);
}

/* The place of a block that counts. */
uint32_t components_place(const struct components *components, uint32_t rank);

/* The next edge of a block that leads to another that counts, from edge *next on: its place;
   COMPONENTS_NONE when there is none. */
uint32_t components_next(const struct components *components, uint32_t place,
			 uint64_t *next, enum edge_class *class);

#endif
