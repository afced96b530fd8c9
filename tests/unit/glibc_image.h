/*
 * glibc_image: the memory of a process with a heap of glibc 2.36, made by hand.
 *
 * image_init() makes what every process has: libc's data with main_arena and mp_, threads
 * with their TLS. The tests add segments, fill them with chunks in ascending order, and end
 * each run of chunks as glibc would. The image keeps what a walker is to find. Any word may
 * be changed before image_target() makes a fake target of it all.
 *
 * Mistakes of the test end the program.
 */
#ifndef SEEP_TESTS_GLIBC_IMAGE_H
#define SEEP_TESTS_GLIBC_IMAGE_H

#include "heap/glibc_priv.h"

#define IMAGE_DATA     0x7f2222200000u /* libc's; mp_ and main_arena are in it */
#define IMAGE_PARAMS   (IMAGE_DATA + 0x3e0)
#define IMAGE_ARENA    (IMAGE_DATA + 0xc60)
#define IMAGE_CODE     0x7f2222300000u /* malloc's functions: one page */
#define IMAGE_TLS      0x7f2222100000u /* one page for each thread */
#define IMAGE_STACK    0x7f2222000000u /* one page for each thread */
#define IMAGE_MAIN     0x555555560000u /* where tests put the main heap */
#define IMAGE_HEAP_MAX (64u << 20)
#define IMAGE_THREAD   0x7e0000000000u /* …and heaps of thread arenas, aligned */
#define IMAGE_MAPPED   0x7f1111100000u /* …and mapped chunks */
#define IMAGE_KEY      0x9e3779b97f4a7c15u
#define IMAGE_PAGE     4096u

struct image_segment {
	uint64_t address;
	size_t size;
	unsigned flags;
	const char *name;
	unsigned char *bytes;
};
DEFINE_VEC(image_segment_vec, struct image_segment);
DEFINE_VEC(image_chunk_vec, struct heap_chunk);

struct image_thread {
	uint64_t thread_pointer, pc, sp;
	uint64_t tcache; /* 0: none yet */
};
DEFINE_VEC(image_thread_vec, struct image_thread);

struct image {
	const struct glibc_layout *layout;
	struct image_segment_vec segments;
	struct image_chunk_vec chunks; /* what is to be found */
	struct word_vec headers;       /* addresses of all headers of chunks */
	struct image_thread_vec threads;
	uint64_t rtld_global; /* 0: no loader */
};

/* A run of chunks in the making. */
struct image_run {
	uint64_t arena;
	uint64_t at; /* header of the next chunk */
	uint64_t end;
	bool previous_free;
};

/* What becomes of a chunk once it is laid out. */
enum image_fate {
	FATE_USED,
	FATE_BINNED,    /* in the arena's unsorted bin */
	FATE_CACHED,    /* in the tcache of thread 0 */
	FATE_CACHED_1,  /* in that of thread 1 */
	FATE_FAST,      /* in a fastbin of the arena */
	FATE_FORGOTTEN, /* in the tcache of a thread that nobody knows */
};

void image_init(struct image *image);
void image_deinit(struct image *image);

void image_add(struct image *image, uint64_t address, size_t size, unsigned flags,
	       const char *name);
uint64_t image_get(const struct image *image, uint64_t address);
void image_put(struct image *image, uint64_t address, uint64_t word);
/* 32 and 16 bits. */
void image_put_int(struct image *image, uint64_t address, uint32_t number);
void image_put_short(struct image *image, uint64_t address, uint16_t number);

/* A thread with a page of TLS and one of stack. Thread 0 is there from the beginning. */
void image_add_thread(struct image *image);

/* The main heap: `size` bytes from IMAGE_MAIN, in whole pages. */
struct image_run image_main(struct image *image, size_t size);
/* The first heap of a thread arena, and one after it; `heap` is aligned to heap_max. */
struct image_run image_thread_arena(struct image *image, uint64_t heap, size_t size);
struct image_run image_thread_heap(struct image *image, uint64_t arena, uint64_t heap,
				   uint64_t previous, size_t size);

/* Lays out the next chunk; gives the address that the program would get. `usable` is
   24 + a multiple of 16. */
uint64_t image_chunk(struct image *image, struct image_run *run, size_t usable,
		     enum image_fate fate);
/* The tcache of a thread, in a chunk of its own. */
void image_tcache(struct image *image, struct image_run *run, size_t thread);

/* The rest is the arena's top chunk. */
void image_top(struct image *image, struct image_run *run);
/* The rest is what sysmalloc leaves of the top when a thread's heap, or the main heap,
   cannot grow: a free chunk and fenceposts. */
void image_fence(struct image *image, struct image_run *run);

/* Bytes of the main heap that the program took for itself. */
void image_foreign(struct image *image, uint64_t address, size_t size);

/* A chunk that is a mapping of its own, at the start of a page of a segment. */
uint64_t image_mapped(struct image *image, uint64_t address, size_t size);
/* One from memalign: `total` bytes mapped, the block aligned to `alignment`. */
uint64_t image_mapped_aligned(struct image *image, uint64_t address, size_t total,
			      size_t alignment);

/* A bit of everything, small: two threads, the main heap, a thread arena with two heaps,
   mapped chunks. */
void image_fill(struct image *image);

/* The caller destroys the target. */
struct target *image_target(const struct image *image);
/* The walker of such a target; ended with heap_destroy(). */
struct heap *image_heap(const struct image *image, struct target *target);

#endif
