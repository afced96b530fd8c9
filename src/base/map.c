/* map: see map.h. */
#include "base/map.h"

#include <stdlib.h>

#include "base/hash.h"

#define FIRST_SIZE 1024u

/* The key's own slot, or the free one where it belongs. */
static struct map_slot *find_slot(struct map_slot *slots, size_t size, uint64_t key)
{
	size_t at = hash_mix(key) & (size - 1);
	while (slots[at].is_used && slots[at].key != key)
		at = (at + 1) & (size - 1);
	return &slots[at];
}

static bool grow(struct map *map)
{
	size_t size = map->size ? map->size * 2 : FIRST_SIZE;
	struct map_slot *slots = calloc(size, sizeof(*slots));
	if (!slots)
		return false;
	for (size_t i = 0; i < map->size; i++)
		if (map->slots[i].is_used)
			*find_slot(slots, size, map->slots[i].key) = map->slots[i];
	free(map->slots);
	map->slots = slots;
	map->size = size;
	return true;
}

uint64_t *map_at(struct map *map, uint64_t key)
{
	if (map->nr * 2 >= map->size && !grow(map))
		return NULL;
	struct map_slot *slot = find_slot(map->slots, map->size, key);
	if (!slot->is_used) {
		*slot = (struct map_slot){ .key = key, .is_used = true };
		map->nr++;
	}
	return &slot->value;
}

const uint64_t *map_find(const struct map *map, uint64_t key)
{
	const struct map_slot *slot = map->size ? find_slot(map->slots, map->size, key)
						: NULL;
	return slot && slot->is_used ? &slot->value : NULL;
}

void map_deinit(struct map *map)
{
	free(map->slots);
	*map = (struct map){ 0 };
}
