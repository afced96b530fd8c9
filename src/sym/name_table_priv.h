/*
 * name_table: names by number, for what is expensive to find out twice.
 *
 * Open addressing with linear probing, at most half full. A NULL name is remembered too:
 * it says that there is none. A zeroed struct is an empty table.
 */
#ifndef SEEP_SYM_NAME_TABLE_PRIV_H
#define SEEP_SYM_NAME_TABLE_PRIV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct name_slot {
	uint64_t key;
	char *name;
	bool is_used;
};

struct name_table {
	struct name_slot *slots;
	size_t nr, capacity; /* 0 or a power of two */
};

/* False if nothing was remembered for the key. */
bool name_table_find(const struct name_table *table, uint64_t key, const char **name);

/*
 * The key must not be there yet. Takes `name` over. False when memory ran out: the name is
 * then freed, and nothing remembered.
 */
bool name_table_add(struct name_table *table, uint64_t key, char *name);

void name_table_deinit(struct name_table *table);

#endif
