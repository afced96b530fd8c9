/*
 * heap: the blocks of one allocator, read from the allocator's own metadata.
 *
 * heap_open() recognises the allocator, or refuses it by name. While the target is frozen,
 * heap_survey() finds the arenas, the spans of memory that hold chunks, and the lists of
 * free chunks; heap_walk() then streams the spans once, in ascending order, and hands every
 * chunk with the contents to a visitor. Nothing is guessed: what does not parse is given as
 * CHUNK_UNKNOWN and lowers parsed_bytes.
 *
 * To add an allocator: write its heap_ops in a file of its own, add its row to `allocators`
 * in heap.c, give every chunk of its spans exactly once in ascending order, and prove the
 * walk against the allocator's own counts.
 */
#ifndef SEEP_HEAP_HEAP_H
#define SEEP_HEAP_HEAP_H

#include <assert.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/sentences.h"
#include "base/vec.h"
#include "sym/symbols.h"
#include "target/target.h"

enum chunk_state {
	CHUNK_USED,      /* a block: handed out and not taken back */
	CHUNK_FREE,      /* in one of the allocator's lists */
	CHUNK_ALLOCATOR, /* in use by the allocator itself */
	CHUNK_UNKNOWN,   /* bytes of a span that do not parse */
};

struct heap_chunk {
	uint64_t
		address; /* of the bytes that the program gets; 16-aligned, or 8 if packed */
	uint64_t size : 56; /* usable bytes */
	enum chunk_state state : 8;
};
static_assert(sizeof(struct heap_chunk) == 16, "12 million of them pass by");

/* A range of addresses that holds chunks, for a visitor to prepare for. */
struct heap_span {
	uint64_t start, end;
	uint32_t arena; /* 0: the main one */
	bool single;    /* holds exactly one block (a mapped chunk) */
};
DEFINE_VEC(heap_span_vec, struct heap_span);

/* A stretch of a span's contents with the chunks whose first byte lies in it. Absent pages
   read as zeros. `words` goes on for nr_ahead words past nr_words (a look ahead). */
struct heap_window {
	const struct heap_span *span;
	unsigned slot; /* the number that prepare() was called with */
	uint64_t address;
	const uint64_t *words;
	size_t nr_words, nr_ahead;
	uint64_t unread_bytes;           /* of these, swapped out: they read as zeros */
	const struct heap_chunk *chunks; /* ascending */
	size_t nr_chunks;
};

/* So many windows are on their way at a time. */
#define HEAP_SLOTS 4u

struct heap_visitor {
	/* NULL, or called ahead of `window`, maybe on another thread, with the words of one
	   that will come in that slot (NULL: all zeros); the slot is not used again before it
	   came. */
	struct error *(*prepare)(struct heap_visitor *visitor, unsigned slot,
				 const uint64_t *words, size_t nr_words);
	struct error *(*window)(struct heap_visitor *visitor,
				const struct heap_window *window);
};

struct heap_totals {
	uint64_t mapped_bytes; /* by the allocator, by its own account */
	uint64_t parsed_bytes; /* of those, the walk understood */
	uint64_t used_blocks, used_bytes;
	uint64_t free_chunks, free_bytes;
	uint64_t own_blocks, own_bytes; /* in use by the allocator itself */
	uint64_t unread_bytes; /* swapped out: not read, so what they hold is unknown */
};

/* How much of what is mapped was understood; 100 of nothing. */
double heap_totals_coverage(const struct heap_totals *totals);

DEFINE_VEC(word_vec, uint64_t);

/* One of the allocator's arenas; spans name it by its index. */
struct heap_arena {
	uint64_t address;        /* of its own state */
	uint64_t system_bytes;   /* that it has from the system, by its own account */
	uint64_t top, top_bytes; /* what is left at its end; 0, 0: unknown */
	uint64_t nr_threads;     /* that allocate from it */
	bool is_main;
};
DEFINE_VEC(heap_arena_vec, struct heap_arena);

struct heap;

struct heap_ops {
	const char *name; /* "glibc" */
	struct error *(*survey)(struct heap *heap);
	struct error *(*walk)(struct heap *heap, struct heap_visitor *visitor);
	void (*destroy)(struct heap *heap);
};

struct heap {
	const struct heap_ops *ops;
	struct target *target;
	struct symbols *symbols;
	char *name;  /* "glibc 2.36"; owned */
	bool packed; /* a block may end where the next chunk begins, and be 8-aligned */
	struct heap_span_vec spans; /* ascending, disjoint; set by survey */
	/* Words of the allocator's own state, not to be taken for roots. */
	struct heap_span_vec private_ranges;
	/* Set by survey where the allocator has such things: */
	struct heap_arena_vec arenas;
	uint64_t
		arena_limit; /* how many the program lets it make; 0: by the processors */
	struct word_vec
		fast; /* ascending: free blocks of fastbins, which trimming joins */
	struct heap_span_vec stacks; /* of threads, also of ended ones; unordered */
	/* Addresses of blocks that a thread inside the allocator has in hand. */
	struct word_vec in_flight;
	size_t nr_threads_inside; /* threads caught inside the allocator */
	bool last_try; /* set by the caller: better a part of the heap than ERROR_BUSY */
	struct heap_totals totals;
	struct sentence_vec damage; /* what did not parse, where; owned */
};

/* ERROR_REFUSED names the allocator and says why. */
struct error *heap_open(struct target *target, struct symbols *symbols,
			struct heap **heap) MUST_CHECK;
/* ERROR_BUSY: the allocator's lists were caught half-linked; thaw and try again. */
struct error *heap_survey(struct heap *heap) MUST_CHECK;
struct error *heap_walk(struct heap *heap, struct heap_visitor *visitor) MUST_CHECK;
void heap_destroy(struct heap *heap);

/* The allocator's name ("glibc 2.36"), owned by the caller; or the refusal. */
struct error *heap_identify(struct target *target, struct symbols *symbols,
			    char **name) MUST_CHECK;

/* For implementations: notes that something did not parse; takes printf arguments. */
struct error *heap_note_damage(struct heap *heap, const char *format, ...)
	__attribute__((format(printf, 2, 3))) MUST_CHECK;
/* An inconsistency: ERROR_BUSY when a thread was inside the allocator (it may be gone at
   the next look), otherwise or at the last try a note of damage and no error. */
struct error *heap_inconsistent(struct heap *heap, const char *what,
				uint64_t address) MUST_CHECK;
/* The span that holds an address, or NULL. */
const struct heap_span *heap_span_of(const struct heap *heap, uint64_t address);

#endif
