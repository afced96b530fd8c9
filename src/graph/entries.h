/*
 * entries: where everything in a heap begins: the blocks that roots hold, then the leaders of
 * what is lost.
 *
 * As a graph problem: the successors of a virtual root that reaches every block. What is live is
 * reached from the live entries alone: an edge from a lost block to a live one keeps nothing.
 */
#ifndef SEEP_GRAPH_ENTRIES_H
#define SEEP_GRAPH_ENTRIES_H

#include "graph/graph.h"
#include "graph/lost.h"

struct entries {
	const uint64_t *live; /* bitmap by rank: what the roots reach; the caller's */
	struct area ranks;    /* uint32_t[nr]: each at most once, the live ones first */
	uint32_t nr_live, nr;
	/* Those of them that some group holds, by group: what has a name of its own and holds
	   them with one or more words. */
	uint32_t nr_groups;
	struct area first; /* uint32_t[nr_groups + 1] */
	struct area
		grouped; /* uint32_t[first[nr_groups]]: edges to starts; ranks may repeat */
	struct area is_grouped; /* bitmap by place among the entries */
};

/* `doubted` blocks count as held, though no root holds them. */
struct error *entries_find(const struct graph *graph, const uint64_t *live,
			   const uint32_t *doubted, uint32_t nr_doubted,
			   const struct lost *lost, struct entries *entries) MUST_CHECK;
/* Root i belongs to group groups[i]; RANK_NONE: to none. */
struct error *entries_group(const struct graph_root_vec *roots, const uint32_t *groups,
			    uint32_t nr_groups, struct entries *entries) MUST_CHECK;
void entries_deinit(struct entries *entries);

static inline const uint32_t *entries_ranks(const struct entries *entries)
{
	return entries->ranks.memory;
}

/* What a group holds, as edges. */
static inline struct edge_run entries_of_group(const struct entries *entries,
					       uint32_t group)
{
	const uint32_t *first = entries->first.memory;
	return (struct edge_run){
		.edges = (const uint32_t *)entries->grouped.memory + first[group],
		.nr = first[group + 1] - first[group],
	};
}

#endif
