/*
 * glibc_layout: where glibc's malloc keeps its state, by version, and how to find it
 * without debug symbols.
 *
 * The layouts are facts about the structs malloc_state, malloc_par, tcache_perthread_struct
 * and heap_info of glibc's malloc/malloc.c and malloc/arena.c, as the debug information of
 * each version tells them. A version without a row is refused, never guessed.
 *
 * To add a version: print the offsets with `ptype /o` from its debug information, add a
 * row, and run the tests on a machine that has it.
 */
#ifndef SEEP_HEAP_GLIBC_LAYOUT_H
#define SEEP_HEAP_GLIBC_LAYOUT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "target/target.h"

#define GLIBC_NR_FASTBINS 10u
#define GLIBC_NR_BINS     127u

struct glibc_layout {
	unsigned first_version, last_version; /* 2036: glibc 2.36 */
	struct {
		uint16_t mutex, flags, fastbins, top, bins, next, system_mem,
			max_system_mem;
		uint16_t size;
	} arena;
	struct {
		uint16_t arena_test, n_mmaps, n_mmaps_max, max_n_mmaps;
		uint16_t mmapped_mem, max_mmapped_mem, sbrk_base;
		uint16_t tcache_bins, tcache_max_bytes, tcache_count;
		uint16_t size;
	} params;
	struct {
		uint16_t counts, entries; /* 16-bit counts, 64-bit pointers */
		uint16_t size;
		uint16_t nr_bins;
	} tcache;
	struct {
		uint16_t arena, previous, size_field;
		uint16_t size;
	} heap_info;
	uint64_t heap_max; /* alignment and greatest size of a thread arena's heap */
	/* For the threads' stacks that are kept for reuse: offsets in ld.so's _rtld_global and
	   in libc's struct pthread. */
	struct {
		uint16_t stack_cache;             /* a list's head in _rtld_global */
		uint16_t list, stack, stack_size; /* in struct pthread */
	} stacks;
};

/* NULL: not known. */
const struct glibc_layout *glibc_layout_find(unsigned version);
/* The newest version that is known, for messages. */
unsigned glibc_layout_newest(void);

struct glibc_state {
	uint64_t main_arena; /* 0: not found */
	uint64_t params;     /* 0: not found */
	bool initialised;    /* false: the program never called malloc */
};

/*
 * Looks through one region of initialised data (of libc, or of a static program) for
 * main_arena, known by its self-linked bins and its ring, and for mp_, known by relations
 * between its fields. Fields that are not found stay as they are.
 */
struct error *glibc_state_search(struct target *target, const struct glibc_layout *layout,
				 const struct region *region,
				 struct glibc_state *state) MUST_CHECK;

#endif
