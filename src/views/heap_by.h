/*
 * heap_by: what blocks are counted by: their type, size, site, arena, what holds them. Each is a
 * numbering of all blocks, with a name for every number that a block has.
 */
#ifndef SEEP_VIEWS_HEAP_BY_H
#define SEEP_VIEWS_HEAP_BY_H

#include "views/heap_views_priv.h"

struct heap_by {
	const struct block_table *table; /* the question's, or `own` */
	struct block_table own;
	struct area labels; /* char * by number, owned; those of `own` */
	size_t nr_labels;
};

/* Of a question that has looked; ERROR_USAGE where that is not known of its heap. */
struct error *heap_by_make(struct heap_question *question, enum analyse_heap_by by,
			   struct heap_by *result) MUST_CHECK;
void heap_by_deinit(struct heap_by *by);

/* What it is called, for people: "type". */
const char *heap_by_noun(enum analyse_heap_by by);
/* Whether it takes the dominators to tell. */
bool heap_by_needs_tree(enum analyse_heap_by by);

#endif
