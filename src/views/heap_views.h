/*
 * heap_views: who holds the memory of a heap, and what it is.
 *
 * A view is a question with a table for an answer. To add one: write its file, heap_NAME.c, with
 * a `const struct heap_view`, declare that in heap_views_priv.h, and give it a row in
 * heap_views.c.
 */
#ifndef SEEP_VIEWS_HEAP_VIEWS_H
#define SEEP_VIEWS_HEAP_VIEWS_H

#include "analyse/source.h"
#include "model/heap.h"

/* What rows of a histogram and of a diff are, and dominators if they are to be grouped. */
enum analyse_heap_by {
	HEAP_BY_TYPE,
	HEAP_BY_SIZE,
	HEAP_BY_ROOT, /* that alone keeps a block alive */
	HEAP_BY_SITE,
	HEAP_BY_ARENA,
	HEAP_BY_ZONE,      /* the allocator */
	HEAP_BY_DOMINATOR, /* the outermost block that every way leads through */
};

struct analyse_heap_options {
	struct source_options source;
	const char *view;
	const char *asked; /* what it is asked of; NULL: nothing was given */
	const char *const
		*others;    /* earlier snapshots of the same process; NULL-terminated */
	const char *filter; /* which blocks count (block_filter.h); NULL: all */
	const char *const
		*excludes; /* blocks that no path leads through; NULL-terminated */
	const char *const
		*fields; /* "Node+8", that no cycle leads through; NULL-terminated */
	enum analyse_heap_by by;
	bool by_is_said;     /* else it is what the view is by unless said */
	unsigned max_rows;   /* 0: all */
	unsigned max_length; /* of cycles; 0: any */
	bool exact;          /* also where it takes long */
	bool contents;       /* values of words that are no pointers, too */
	bool types;          /* also those that debug information tells */
};

struct error *analyse_heap(const struct analyse_heap_options *options,
			   struct heap_report **result) MUST_CHECK;

#endif
