/*
 * glibc_priv: what the files of the glibc walker share.
 *
 *	glibc.c         recognises glibc's malloc, finds its state, owns the struct
 *	glibc_survey.c  arenas, their heaps, and the spans they make
 *	glibc_mapped.c  chunks that are mappings of their own
 *	glibc_lists.c   the free lists that the chunks' own headers do not show
 *	glibc_stacks.c  stacks of ended threads
 *	glibc_walk.c    chunk after chunk through the spans
 *
 * A chunk begins 16 bytes before the bytes that the program gets: the size of the chunk
 * before it (only if that one is free), then its own size with three flags.
 */
#ifndef SEEP_HEAP_GLIBC_PRIV_H
#define SEEP_HEAP_GLIBC_PRIV_H

#include "heap/glibc_layout.h"
#include "heap/heap.h"
#include "heap/peek.h"

enum chunk_flags {
	CHUNK_PREV_INUSE = 1, /* the chunk before this one is in use (or cached) */
	CHUNK_IS_MMAPPED = 2,
	CHUNK_NON_MAIN_ARENA = 4,
	CHUNK_FLAGS = 7,
};

#define CHUNK_HEADER   16u
#define CHUNK_MIN_SIZE 32u

struct glibc_arena {
	uint64_t address;
	uint64_t top, top_size;
	uint64_t system_mem;
	uint64_t fastbins[GLIBC_NR_FASTBINS];
	bool is_main;
	bool locked;
};
DEFINE_VEC(glibc_arena_vec, struct glibc_arena);

/* Where a span's chain of chunks must end. */
struct glibc_chain {
	/* The top chunk's address, or the end of the heap, before which stand fenceposts. */
	uint64_t limit;
	bool to_top;
	bool is_main;
};
DEFINE_VEC(glibc_chain_vec, struct glibc_chain);

struct glibc {
	struct heap base;
	const struct glibc_layout *layout;
	struct peek *peek;
	struct region_vec
		data; /* initialised data to search for the state; names not owned */
	uint64_t code_start, code_end; /* malloc's functions; 0, 0: unknown */
	uint64_t rtld_global;          /* ld.so's _rtld_global; 0: unknown */

	/* Found anew by each survey. */
	struct glibc_state state;
	uint64_t n_mmaps, mmapped_mem, sbrk_base, tcache_count;
	uint64_t
		surveyed_bytes; /* of totals.mapped_bytes, the survey knows where they are */
	struct glibc_arena_vec arenas; /* the main one first */
	struct glibc_chain_vec chains; /* one per span, in the spans' order */
	struct word_vec cached;        /* blocks in tcaches and fastbins, ascending */
	struct word_vec own;           /* tcaches themselves, ascending */
	int64_t tcache_offset; /* of the TLS variable from the thread pointer; 0: unknown */
	uint64_t tcache_key;   /* 0: unknown */
};

struct error *glibc_survey(struct heap *heap) MUST_CHECK;
struct error *glibc_walk(struct heap *heap, struct heap_visitor *visitor) MUST_CHECK;

/* Steps of the survey. */
static inline struct error *glibc_add_span(struct glibc *glibc, struct heap_span span,
					   struct glibc_chain chain)
{
	if (span.start >= span.end)
		return NULL;
	if (!heap_span_vec_push(&glibc->base.spans, span) ||
	    !glibc_chain_vec_push(&glibc->chains, chain))
		return error_no_memory();
	return NULL;
}
struct error *glibc_find_mapped(struct glibc *glibc) MUST_CHECK;
struct error *glibc_find_threads_inside(struct glibc *glibc) MUST_CHECK;
struct error *glibc_follow_lists(struct glibc *glibc) MUST_CHECK;
/* Stacks of threads that have ended, kept for reuse: their contents are dead. */
struct error *glibc_find_dead_stacks(struct glibc *glibc) MUST_CHECK;
/* All stacks that it has, of threads that run, have ended, or may be reused; unordered. */
struct error *glibc_find_stacks(struct glibc *glibc,
				struct heap_span_vec *stacks) MUST_CHECK;

#endif
