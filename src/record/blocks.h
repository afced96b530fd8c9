/*
 * blocks: what is live, by address.
 *
 * Open addressing with linear probing, in a table of 16 bytes each that is at most three quarters
 * full and grows by a quarter; what is removed leaves no trace. Pointers to entries die with the next
 * addition or removal.
 *
 * Of when a block came no more is kept than its age needs: the low 32 bits of the microseconds, and
 * who is older than any limit between ages (snap/trace.h) is made younger, up to there, by
 * blocks_age() before the bits come round.
 */
#ifndef SEEP_RECORD_BLOCKS_H
#define SEEP_RECORD_BLOCKS_H

#include <stddef.h>

#include "base/area.h"
#include "record/deaths.h"
#include "record/prefetch.h"
#include "record/scenes.h"
#include "wire/event.h"

struct block_entry {
	uint64_t
		key; /* the address, its scene's number above it, BLOCK_EARLY; 0: empty */
	uint32_t
		number; /* of the request; BLOCK_EARLY: whatever the table's owner likes */
	uint32_t us;    /* when it came, modulo 2^32 */
};

/* A bit above an address: no block, but a free that came too early. */
#define BLOCK_EARLY (UINT64_C(1) << 63)

/* A zeroed struct is empty. */
struct blocks {
	struct block_entry *entries;
	size_t size; /* 0: no table yet */
	size_t nr;
	struct area table;
	struct scenes scenes;
	struct map others; /* the scene, as a word, of blocks whose scene has no number */
};

/* Within as many microseconds blocks_age() must be called. */
#define BLOCKS_AGE_US (UINT64_C(1) << 31)

static inline uint64_t block_address(const struct block_entry *entry)
{
	return entry->key & EVENT_BLOCK_MASK;
}

/* The top of a product with 2^64 over the golden ratio, scaled to the table: addresses at even
   distances come to lie at even distances (Knuth, The Art of Computer Programming 6.4), and in the
   same order in a larger table. */
static inline size_t blocks_place(const struct blocks *blocks, uint64_t address)
{
	uint64_t hash = (address >> 4) * 0x9e3779b97f4a7c15u;
	return (size_t)((unsigned __int128)hash * blocks->size >> 64);
}

/* Gets what will be asked for from memory meanwhile. */
PREFETCH void blocks_prefetch(const struct blocks *blocks, uint64_t address)
{
	if (blocks->size)
		__builtin_prefetch(&blocks->entries[blocks_place(blocks, address)]);
}

/* NULL if there is none. */
struct block_entry *blocks_find(const struct blocks *blocks, uint64_t address);
/* The same, or an empty place for one of that address: for one of the two below. NULL when memory
   ran out. */
struct block_entry *blocks_find_or_place(struct blocks *blocks, uint64_t address);
/* False when memory ran out. */
bool blocks_fill(struct blocks *blocks, struct block_entry *place, uint64_t address,
		 const struct birth *birth);
void blocks_fill_early(struct blocks *blocks, struct block_entry *place, uint64_t address,
		       uint32_t number);
void blocks_remove(struct blocks *blocks, struct block_entry *entry);

/* How a block came, as its death needs to know it. */
struct birth blocks_birth(const struct blocks *blocks, const struct block_entry *entry,
			  uint64_t now_us);

/* The time goes on, from one to another. */
void blocks_age(struct blocks *blocks, uint64_t from_us, uint64_t to_us);
void blocks_deinit(struct blocks *blocks);

#endif
