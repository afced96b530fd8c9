/*
 * seep/heap.h: who holds the memory of a process, and what it is.
 *
 * Structs begin with their size, as in seep/leaks.h.
 */
#ifndef SEEP_HEAP_H
#define SEEP_HEAP_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#ifdef __cplusplus
extern "C" {
#endif

struct heap_report; /* opaque here; src/model/heap.h */
struct error;       /* opaque here; src/base/error.h */

enum seep_heap_flags {
	SEEP_HEAP_EXACT = 1 << 0, /* exact numbers also where they take long */
	SEEP_HEAP_TYPES = 1 << 1, /* name types that debug information tells */
	SEEP_HEAP_CONTENTS =
		1 << 2, /* "inspect" tells values of words that are no pointers */
};

enum seep_heap_by {
	SEEP_HEAP_BY_UNSAID, /* a type, and of dominators each block alone */
	SEEP_HEAP_BY_TYPE,   /* class of a vtable, or looks and size */
	SEEP_HEAP_BY_SIZE,
	SEEP_HEAP_BY_ROOT,  /* what alone keeps them alive */
	SEEP_HEAP_BY_SITE,  /* call stack that allocated them, where that was recorded */
	SEEP_HEAP_BY_ARENA, /* of the allocator */
	SEEP_HEAP_BY_ZONE,  /* the allocator */
	SEEP_HEAP_BY_DOMINATOR, /* outermost block that every way leads through */
};

struct seep_heap_options {
	size_t size;         /* sizeof(struct seep_heap_options) */
	pid_t pid;           /* of the process; 0 when `file` is given */
	const char *file;    /* instead of a process: a core or a snapshot */
	const char *sysroot; /* with a core: where the files of its machine are */
	const char *view;    /* "histogram", "dominators", … */
	const char *asked;   /* what the view is of: an address, a type, a variable */
	/* For "diff" and "abandoned": earlier snapshots of the same process; NULL-terminated. */
	const char *const *others;
	const char *filter; /* which blocks count: "type~^Node size>1k"; NULL: all */
	const char *const *excludes; /* fields that paths avoid; NULL-terminated */
	const char *const *fields;   /* "Node+8", that cycles avoid; NULL-terminated */
	enum seep_heap_by by;
	unsigned flags;        /* enum seep_heap_flags */
	unsigned max_rows;     /* 0: all */
	unsigned max_length;   /* of cycles; 0: any */
	unsigned max_pause_ms; /* 0: 200 */
	unsigned freeze;       /* enum seep_freeze (seep/leaks.h) */
	uint64_t max_copy_bytes;
	const char
		*recording; /* the trace that the process is recorded into; NULL: none */
};

/* On success *report is owned by the caller; otherwise the error is. */
struct error *seep_heap(const struct seep_heap_options *options,
			struct heap_report **report);
void seep_heap_report_destroy(struct heap_report *report);

enum seep_heap_format {
	SEEP_HEAP_HEAPSNAPSHOT, /* of all blocks, for Chrome's DevTools and memlab */
	SEEP_HEAP_DOT,          /* of a block's neighbourhood, for GraphViz */
};

/* Writes the heap out as other programs read it, bit by bit, to `put`, which returns NULL or an error.
   Of the options view, others, filter and what only views ask for are not used; `asked` is the address of the block that
   SEEP_HEAP_DOT draws, with what is `depth` pointers away from it. */
struct error *seep_heap_export(const struct seep_heap_options *options,
			       enum seep_heap_format format, unsigned depth,
			       struct error *(*put)(void *context, const char *text,
						    size_t size),
			       void *context);

#ifdef __cplusplus
}
#endif

#endif
