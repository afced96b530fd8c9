/*
 * recorded: a heap whose blocks somebody else knows exactly: those that the runtime saw handed
 * out and not taken back. So the allocator may be any.
 *
 * What such blocks lie in is the allocator's: what of it is no block is free, or metadata, and
 * holds nothing. Where that ends is worked out from the mappings, since no allocator's own records
 * are read:
 *
 * - An anonymous mapping that blocks lie in is the allocator's, all of it: metadata lies beside
 *   blocks, and points to them. But the kernel makes one mapping of what lies next to each other,
 *   so some of it may be a thread's stack, thread-local variables, or what the program mapped
 *   itself. These are roots. A stack or TLS is known by the C library's lists, and by the thread's
 *   stack and thread pointer, which stand in it, as far as the block below and the block above.
 * - Mappings of files, a program's .bss and the main stack are not the allocator's. Blocks there
 *   (an allocator's first ones, from a static pool) are blocks; all around them are roots.
 * - An anonymous mapping without any block, that neither the program made nor a thread stands in,
 *   is the allocator's too: its records of where blocks are. Where not all that the program mapped
 *   may be known, it is a root instead.
 * - Of the pages of seep's own runtime nothing is a root. What it gave out itself, before it knew
 *   the allocator, is no block; but musl's malloc gives out what of the pages of modules is over.
 *
 * A walk of the allocator's own records, where there is one (heap_open()), is truer: it also knows
 * blocks that were not recorded.
 */
#ifndef SEEP_HEAP_RECORDED_H
#define SEEP_HEAP_RECORDED_H

#include "heap/heap.h"

/* A block that is live. */
struct heap_block {
	uint64_t address, size;
	uint32_t node; /* whatever the owner of the list likes: of its call stack */
};
DEFINE_VEC(heap_block_vec, struct heap_block);

/* All of it is the caller's, and must outlive the heap. */
struct heap_recording {
	struct heap_block_vec blocks; /* ascending, as heap_blocks_settle() leaves them */
	struct heap_span_vec mappings; /* that the program made itself; ascending */
	bool has_all_mappings;
};

/* Sorts blocks; of those that overlap, and of those that no allocator hands out (not 8-aligned),
   one is kept or none. */
void heap_blocks_settle(struct heap_block_vec *blocks);
/* The block that begins at an address, or NULL. */
const struct heap_block *heap_block_at(const struct heap_block_vec *blocks,
				       uint64_t address);

struct error *recorded_open(struct target *target, struct symbols *symbols,
			    const struct heap_recording *recording,
			    struct heap **heap) MUST_CHECK;

#endif
