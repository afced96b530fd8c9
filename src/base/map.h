/*
 * map: 64-bit keys to 64-bit values. A zeroed struct is an empty one.
 *
 * Open addressing in a table that is at most half full and never shrinks.
 */
#ifndef SEEP_BASE_MAP_H
#define SEEP_BASE_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct map_slot {
	uint64_t key, value;
	bool is_used;
};

struct map {
	struct map_slot *slots;
	size_t size; /* of the table: a power of two, or 0 */
	size_t nr;   /* of keys */
};

/* The value of a key, 0 for one that was not there; valid until the next call. NULL: memory
   ran out, and the map is unchanged. */
uint64_t *map_at(struct map *map, uint64_t key);
/* Likewise, but a key that was not there does not come to be: NULL. */
const uint64_t *map_find(const struct map *map, uint64_t key);
void map_deinit(struct map *map);

#endif
