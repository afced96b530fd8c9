/* name_table: see name_table_priv.h. */
#include "sym/name_table_priv.h"

#include <stdlib.h>

#include "base/hash.h"

#define FIRST_CAPACITY 64

/* The key's slot, or the free one where it belongs. */
static struct name_slot *find_slot(const struct name_table *table, uint64_t key)
{
	size_t at = hash_mix(key) & (table->capacity - 1);
	while (table->slots[at].is_used && table->slots[at].key != key)
		at = (at + 1) & (table->capacity - 1);
	return &table->slots[at];
}

bool name_table_find(const struct name_table *table, uint64_t key, const char **name)
{
	*name = NULL;
	if (!table->capacity)
		return false;
	const struct name_slot *slot = find_slot(table, key);
	*name = slot->name;
	return slot->is_used;
}

static bool grow(struct name_table *table)
{
	struct name_table larger = {
		.nr = table->nr,
		.capacity = table->capacity ? 2 * table->capacity : FIRST_CAPACITY,
	};
	larger.slots = calloc(larger.capacity, sizeof(*larger.slots));
	if (!larger.slots)
		return false;
	for (size_t i = 0; i < table->capacity; i++) {
		if (table->slots[i].is_used)
			*find_slot(&larger, table->slots[i].key) = table->slots[i];
	}
	free(table->slots);
	*table = larger;
	return true;
}

bool name_table_add(struct name_table *table, uint64_t key, char *name)
{
	if (2 * table->nr >= table->capacity && !grow(table)) {
		free(name);
		return false;
	}
	*find_slot(table, key) = (struct name_slot){ key, name, true };
	table->nr++;
	return true;
}

void name_table_deinit(struct name_table *table)
{
	for (size_t i = 0; i < table->capacity; i++)
		free(table->slots[i].name);
	free(table->slots);
	*table = (struct name_table){ 0 };
}
