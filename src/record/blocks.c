/* blocks: see blocks.h. */
#include "record/blocks.h"

#define FIRST_SIZE 4096u

struct block_entry *blocks_find(const struct blocks *blocks, uint64_t address)
{
	if (!blocks->size)
		return NULL;
	size_t at = blocks_place(blocks, address);
	for (;; at = (at + 1) & (blocks->size - 1)) {
		struct block_entry *entry = &blocks->entries[at];
		if (block_address(entry) == address)
			return entry;
		if (!entry->key)
			return NULL;
	}
}

static struct block_entry *free_place(const struct blocks *blocks, uint64_t address)
{
	size_t at = blocks_place(blocks, address);
	while (blocks->entries[at].key)
		at = (at + 1) & (blocks->size - 1);
	return &blocks->entries[at];
}

static bool grow(struct blocks *blocks)
{
	struct blocks larger = *blocks;
	larger.table = (struct area){ 0 };
	larger.size = blocks->size ? blocks->size * 2 : FIRST_SIZE;
	if (!area_reserve(&larger.table, larger.size * sizeof(*larger.entries)))
		return false;
	larger.entries = larger.table.memory;
	for (size_t i = 0; i < blocks->size; i++)
		if (blocks->entries[i].key)
			*free_place(&larger, block_address(&blocks->entries[i])) =
				blocks->entries[i];
	area_release(&blocks->table);
	*blocks = larger;
	return true;
}

struct block_entry *blocks_add(struct blocks *blocks, uint64_t address)
{
	if (blocks->nr * 3 >= blocks->size * 2 && !grow(blocks))
		return NULL;
	struct block_entry *entry = free_place(blocks, address);
	*entry = (struct block_entry){ .key = address };
	blocks->nr++;
	return entry;
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
	area_release(&blocks->free_slots);
	*blocks = (struct blocks){ 0 };
}

uint32_t blocks_take_slot(struct blocks *blocks)
{
	if (!blocks->nr_free_slots)
		return blocks->nr_slots++;
	return ((const uint32_t *)blocks->free_slots.memory)[--blocks->nr_free_slots];
}

bool blocks_give_slot(struct blocks *blocks, uint32_t slot)
{
	if (!area_reserve(&blocks->free_slots,
			  (blocks->nr_free_slots + 1) * sizeof(slot)))
		return false;
	((uint32_t *)blocks->free_slots.memory)[blocks->nr_free_slots++] = slot;
	return true;
}
