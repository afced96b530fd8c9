/* blocks: see blocks.h. */
#include "record/blocks.h"

#include "base/vec.h"
#include "snap/trace.h"

#define FIRST_SIZE 4096u
/* The old table is given back in pieces as the new one fills: there is never much of both. */
#define PIECE (((size_t)1 << 20) / sizeof(struct block_entry))

static inline size_t next(const struct blocks *blocks, size_t at)
{
	return at + 1 < blocks->size ? at + 1 : 0;
}

/* How far it is to there, around the end. */
static inline size_t distance(const struct blocks *blocks, size_t from, size_t to)
{
	return to >= from ? to - from : to + blocks->size - from;
}

/* The entry of an address, or the empty one where it belongs. */
static inline struct block_entry *probe(const struct blocks *blocks, uint64_t address)
{
	for (size_t at = blocks_place(blocks, address);; at = next(blocks, at)) {
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

/* Both tables have their entries in the same order, but for who had to give way: the new one is
   filled from its end on, as the old one shrinks. */
static void move_all(struct blocks *from, struct blocks *to)
{
	for (size_t i = from->size; i-- > 0;) {
		const struct block_entry *entry = &from->entries[i];
		if (entry->key)
			*probe(to, block_address(entry)) = *entry;
		if (i % PIECE == 0)
			area_trim(&from->table, i * sizeof(*entry));
	}
	area_release(&from->table);
}

static bool grow(struct blocks *blocks)
{
	struct blocks larger = *blocks;
	larger.table = (struct area){ 0 };
	larger.size = blocks->size ? blocks->size + blocks->size / 4 : FIRST_SIZE;
	if (!area_reserve(&larger.table, larger.size * sizeof(*larger.entries)))
		return false;
	larger.entries = larger.table.memory;
	move_all(blocks, &larger);
	*blocks = larger;
	return true;
}

struct block_entry *blocks_find_or_place(struct blocks *blocks, uint64_t address)
{
	if (blocks->nr >= blocks->size - blocks->size / 4 && !grow(blocks))
		return NULL;
	return probe(blocks, address);
}

bool blocks_fill(struct blocks *blocks, struct block_entry *place, uint64_t address,
		 const struct birth *birth)
{
	const struct scene scene = { birth->thread, (uint16_t)birth->marks };
	uint32_t number = 0;
	if (!scenes_number(&blocks->scenes, scene, &number))
		return false;
	if (number == SCENES_OTHER) {
		uint64_t *word = map_at(&blocks->others, address);
		if (!word)
			return false;
		*word = scene_word(scene);
	}
	*place = (struct block_entry){
		.key = address | (uint64_t)number << EVENT_BLOCK_BITS,
		.number = birth->request,
		.us = (uint32_t)birth->us,
	};
	blocks->nr++;
	return true;
}

void blocks_fill_early(struct blocks *blocks, struct block_entry *place, uint64_t address,
		       uint32_t number)
{
	*place = (struct block_entry){ .key = address | BLOCK_EARLY, .number = number };
	blocks->nr++;
}

/* Closes the gap: what stands behind it and does not belong between it and there moves up
   (Knuth, The Art of Computer Programming 6.4, Algorithm R). */
void blocks_remove(struct blocks *blocks, struct block_entry *entry)
{
	size_t gap = (size_t)(entry - blocks->entries);
	for (size_t at = next(blocks, gap); blocks->entries[at].key;
	     at = next(blocks, at)) {
		size_t home = blocks_place(blocks, block_address(&blocks->entries[at]));
		if (distance(blocks, home, at) < distance(blocks, gap, at))
			continue;
		blocks->entries[gap] = blocks->entries[at];
		gap = at;
	}
	blocks->entries[gap] = (struct block_entry){ 0 };
	blocks->nr--;
}

/* --- how blocks came ---------------------------------------------------------------- */

static uint64_t age_of(const struct block_entry *entry, uint64_t now_us)
{
	return (uint32_t)((uint32_t)now_us - entry->us);
}

struct birth blocks_birth(const struct blocks *blocks, const struct block_entry *entry,
			  uint64_t now_us)
{
	uint32_t number = entry->key >> EVENT_BLOCK_BITS & SCENES_OTHER;
	const struct scene scene =
		number < SCENES_OTHER
			? blocks->scenes.known[number]
			: scene_of_word(*map_find(&blocks->others, block_address(entry)));
	return (struct birth){
		.us = now_us - age_of(entry, now_us),
		.marks = scene.marks,
		.request = entry->number,
		.thread = scene.thread,
	};
}

void blocks_age(struct blocks *blocks, uint64_t from_us, uint64_t to_us)
{
	static const uint64_t limits_us[] = TRACE_LIFE_LIMITS_US;
	const uint64_t oldest_us = limits_us[ARRAY_SIZE(limits_us) - 1];
	for (size_t i = 0; i < blocks->size; i++) {
		struct block_entry *entry = &blocks->entries[i];
		if (age_of(entry, from_us) + (to_us - from_us) > oldest_us)
			entry->us = (uint32_t)(to_us - oldest_us);
	}
}

void blocks_deinit(struct blocks *blocks)
{
	area_release(&blocks->table);
	scenes_deinit(&blocks->scenes);
	map_deinit(&blocks->others);
	*blocks = (struct blocks){ 0 };
}
