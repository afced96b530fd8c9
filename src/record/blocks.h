/*
 * blocks: what is live, by address.
 *
 * Open addressing with linear probing in a table of 24 bytes each, at most 2/3 full; what is
 * removed leaves no trace. Pointers to entries die with the next addition or removal.
 */
#ifndef SEEP_RECORD_BLOCKS_H
#define SEEP_RECORD_BLOCKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/area.h"
#include "record/deaths.h"
#include "record/prefetch.h"
#include "wire/event.h"

struct block_entry {
	uint64_t key; /* the address, and maybe BLOCK_EARLY; 0: empty */
	struct birth
		birth; /* BLOCK_EARLY: `request` is whatever the table's owner likes */
};

/* A bit above an address: no block, but a free that came too early. */
#define BLOCK_EARLY (UINT64_C(1) << 63)

/* A zeroed struct is empty. */
struct blocks {
	struct block_entry *entries;
	size_t size;    /* a power of two, or 0 */
	unsigned shift; /* 64 less its logarithm */
	size_t nr;
	struct area table;
};

static inline uint64_t block_address(const struct block_entry *entry)
{
	return entry->key & EVENT_VALUE_MASK;
}

/* The top bits of a product with 2^64 over the golden ratio: addresses at even distances come to
   lie at even distances (Knuth, The Art of Computer Programming 6.4). */
static inline size_t blocks_place(const struct blocks *blocks, uint64_t address)
{
	return (size_t)((address >> 4) * 0x9e3779b97f4a7c15u >> blocks->shift);
}

/* Gets what will be asked for from memory meanwhile. */
PREFETCH void blocks_prefetch(const struct blocks *blocks, uint64_t address)
{
	if (!blocks->size)
		return;
	/* An entry may lie in two cache lines, and the one after it is often asked for too. */
	const struct block_entry *entry = &blocks->entries[blocks_place(blocks, address)];
	__builtin_prefetch(entry);
	__builtin_prefetch(entry + 1);
}

/* NULL if there is none. */
struct block_entry *blocks_find(const struct blocks *blocks, uint64_t address);
/* The same, or an empty place for one of that address: blocks_fill() makes it one. NULL when
   memory ran out. */
struct block_entry *blocks_find_or_place(struct blocks *blocks, uint64_t address);
static inline void blocks_fill(struct blocks *blocks, struct block_entry *place,
			       struct block_entry entry)
{
	*place = entry;
	blocks->nr++;
}
void blocks_remove(struct blocks *blocks, struct block_entry *entry);
void blocks_deinit(struct blocks *blocks);

#endif
