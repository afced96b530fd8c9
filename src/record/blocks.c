/* blocks: see blocks.h. */
#include "record/blocks.h"

#define FIRST_SIZE 4096u

/* The entry of an address, or the empty one where it belongs. */
static inline struct block_entry *probe(const struct blocks *blocks, uint64_t address)
{
	size_t at = blocks_place(blocks, address);
	for (;; at = (at + 1) & (blocks->size - 1)) {
		struct block_entry *entry = &blocks->entries[at];
		if (block_address(entry) == address || !entry->key)
			return entry;
	}
}

struct block_entry *blocks_find(const struct blocks *blocks, uint64_t address)
{
	struct block_entry *entry = blocks->size ? probe(blocks, address) : NULL;
	return entry && entry->key ? entry : NULL;
}

static bool grow(struct blocks *blocks)
{
	struct blocks larger = *blocks;
	larger.table = (struct area){ 0 };
	larger.size = blocks->size ? blocks->size * 2 : FIRST_SIZE;
	larger.shift = 64 - (unsigned)__builtin_ctzll(larger.size);
	if (!area_reserve(&larger.table, larger.size * sizeof(*larger.entries)))
		return false;
	larger.entries = larger.table.memory;
	for (size_t i = 0; i < blocks->size; i++)
		if (blocks->entries[i].key)
			*probe(&larger, block_address(&blocks->entries[i])) =
				blocks->entries[i];
	area_release(&blocks->table);
	*blocks = larger;
	return true;
}

struct block_entry *blocks_find_or_place(struct blocks *blocks, uint64_t address)
{
	if (blocks->nr * 3 >= blocks->size * 2 && !grow(blocks))
		return NULL;
	return probe(blocks, address);
}

/* Closes the gap: what stands behind it and does not belong between it and there moves up
   (Knuth, The Art of Computer Programming 6.4, Algorithm R). */
void blocks_remove(struct blocks *blocks, struct block_entry *entry)
{
	size_t mask = blocks->size - 1;
	size_t gap = (size_t)(entry - blocks->entries);
	for (size_t at = (gap + 1) & mask; blocks->entries[at].key;
	     at = (at + 1) & mask) {
		size_t home = blocks_place(blocks, block_address(&blocks->entries[at]));
		if (((at - home) & mask) < ((at - gap) & mask))
			continue;
		blocks->entries[gap] = blocks->entries[at];
		gap = at;
	}
	blocks->entries[gap] = (struct block_entry){ 0 };
	blocks->nr--;
}

void blocks_deinit(struct blocks *blocks)
{
	area_release(&blocks->table);
	*blocks = (struct blocks){ 0 };
}
