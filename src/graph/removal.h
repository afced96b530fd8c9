/*
 * removal: what would be unreachable if something were not there. Exact: by reaching all that
 * is left.
 */
#ifndef SEEP_GRAPH_REMOVAL_H
#define SEEP_GRAPH_REMOVAL_H

#include "graph/entries.h"

struct removal {
	/* Bitmap by rank of blocks that are taken away; NULL: none. */
	const uint64_t *blocks;
	/* What is left of the entries (bitmap by place among them); NULL: all. */
	const uint64_t *entries;
};

struct retained_set {
	struct area left;       /* bitmap by rank: reached still */
	uint64_t blocks, bytes; /* that are not, what was taken away included */
};

struct error *removal_retained(const struct graph *graph, const struct entries *entries,
			       const struct removal *removal,
			       struct retained_set *set) MUST_CHECK;
void retained_set_deinit(struct retained_set *set);

#endif
