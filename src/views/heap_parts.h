/*
 * heap_parts: a heap with all that is known of it, for whoever writes it out as it is.
 */
#ifndef SEEP_VIEWS_HEAP_PARTS_H
#define SEEP_VIEWS_HEAP_PARTS_H

#include "analyse/fields.h"
#include "graph/dominators.h"
#include "views/heap_views.h"

struct heap_parts {
	const char *target; /* "redis-server (412)" */
	const struct graph *graph;
	const struct entries *entries;
	const uint64_t *live; /* bitmap by rank */
	const struct dominators *dominators;
	const uint32_t *types; /* numbers by rank */
	char **type_names;
	size_t nr_types;
	char **group_names; /* entries->nr_groups */
	const struct natures *natures;
	const struct fields *fields;
	uint32_t rank; /* of the block that was asked for, if one was */
};

/* Looks, and lends what it saw. `options` has no view; `asked` is a block's address, or NULL. */
typedef struct error *heap_parts_fn(void *context, const struct heap_parts *parts);
struct error *analyse_heap_parts(const struct analyse_heap_options *options,
				 heap_parts_fn *use, void *context) MUST_CHECK;

#endif
