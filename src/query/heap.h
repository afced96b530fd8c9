/*
 * heap: a look at a heap for who asks its tables; what costs time is found out when some
 * column needs it.
 */
#ifndef SEEP_QUERY_HEAP_H
#define SEEP_QUERY_HEAP_H

#include "analyse/block_table.h"
#include "analyse/inspection.h"
#include "analyse/root_groups.h"
#include "graph/dominators.h"
#include "query/holders.h"

/* What may have to be found out first. Each may need others. */
enum query_need {
	NEED_TYPES = 1 << 0,
	NEED_TYPE_COUNTS = 1 << 1,
	NEED_GROUPS = 1 << 2,
	NEED_DOMINATORS = 1 << 3,
	NEED_TREE = 1 << 4,    /* children of dominators */
	NEED_KEEPERS = 1 << 5, /* what keeps each block alive alone */
	NEED_HOLDERS = 1 << 6,
	NEED_HOLDING_ROOTS = 1 << 7,
	NEED_MAPPINGS = 1 << 8, /* taken at the look, or never */
	NEED_SITE_COUNTS = 1 << 9,
};

struct query_type_count {
	uint64_t blocks, bytes;
};
struct query_site_count {
	uint64_t blocks, bytes, requested;
};
DEFINE_VEC(query_name_vec, char *);

struct query_heap {
	struct inspection inspection;
	const struct look *look;   /* its last one */
	const struct graph *graph; /* of that */
	unsigned known;            /* enum query_need */
	struct block_table types;
	struct query_name_vec type_names;
	struct area type_counts; /* struct query_type_count by type */
	struct area site_counts; /* struct query_site_count by site */
	struct root_groups groups;
	struct query_name_vec group_names; /* as far as they were asked for, else NULL */
	struct lost lost;                  /* also what only unread memory may hold */
	struct entries entries;
	struct dominators dominators;
	struct dominator_tree tree;
	struct area keepers; /* uint32_t by node: the group + 1, 0: none */
	struct holders holders, holding_roots;
	struct error
		*error; /* why a table could not answer, for who ran the query; owned */
};

/* An empty heap, which is opened or closed next. */
void query_heap_init(struct query_heap *heap);
/* `needs` (enum query_need): what will be asked for; `types`: also those that debug information tells. */
struct error *query_heap_open(const struct source_options *options, unsigned needs,
			      bool types, struct query_heap *heap) MUST_CHECK;
void query_heap_close(struct query_heap *heap);

/* Finds out what is not known yet. */
struct error *query_heap_find(struct query_heap *heap, unsigned needs) MUST_CHECK;

/* Every root that is known of: those that root_groups go by. */
static inline const struct graph_root_vec *query_heap_roots(const struct query_heap *heap)
{
	const struct graph *graph = heap->graph;
	return graph->places.roots_are_kept ? &graph->places.roots : &graph->roots;
}

static inline uint64_t query_heap_address(const struct query_heap *heap, uint32_t rank)
{
	uint64_t address = 0, size = 0;
	space_block(&heap->graph->space, rank, &address, &size);
	return address;
}

/* "definite", "indirect", "possible", "reachable", as seep leaks has them. */
const char *query_heap_kind(const struct query_heap *heap, uint32_t rank);

/* These need NEED_TYPES and NEED_GROUPS; NULL: no memory. */
const char *query_heap_type(const struct query_heap *heap, uint32_t rank);
const char *query_heap_group(struct query_heap *heap, uint32_t group);

#endif
