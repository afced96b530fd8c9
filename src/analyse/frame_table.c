/* frame_table: see frame_table.h. */
#include "analyse/frame_table.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"

static uint64_t hash_text(uint64_t hash, const char *text)
{
	return text ? hash_bytes(hash, text, strlen(text) + 1) : hash_mix(hash);
}

static uint64_t hash_of(const struct symbol_name *name)
{
	uint64_t hash = hash_text(hash_text(HASH_SEED, name->module), name->function);
	return name->function ? hash : hash_mix(hash ^ name->offset);
}

static struct error *add_code(struct frame_table *table, const struct symbol_name *name)
{
	struct frame_code code = {
		.module = strdup(name->module ? name->module : ""),
		.function = name->function ? strdup(name->function) : NULL,
		.offset = name->function ? 0 : name->offset,
	};
	if (code.module && (code.function || !name->function) &&
	    frame_code_vec_push(&table->codes, code))
		return NULL;
	free(code.module);
	free(code.function);
	return error_no_memory();
}

struct error *frame_table_code(struct frame_table *table, const struct symbol_name *name,
			       uint32_t *number)
{
	uint64_t *known = map_at(&table->numbers, hash_of(name));
	struct error *error = NULL;
	if (!known)
		return error_no_memory();
	if (!*known)
		error = add_code(table, name);
	if (error)
		return error;
	if (!*known)
		*known = table->codes.nr;
	*number = (uint32_t)*known - 1;
	return NULL;
}

struct error *frame_table_add(struct frame_table *table, const struct frame_part *part)
{
	return frame_part_vec_push(&table->parts, *part) ? NULL : error_no_memory();
}

static int by_start(const void *a, const void *b)
{
	const struct frame_part *left = a, *right = b;
	return (left->start > right->start) - (left->start < right->start);
}

void frame_table_sort(struct frame_table *table)
{
	if (table->parts.nr)
		qsort(table->parts.items, table->parts.nr, sizeof(*table->parts.items),
		      by_start);
}

const struct frame_part *frame_table_at(const struct frame_table *table, uint64_t address)
{
	size_t low = 0, high = table->parts.nr;
	while (low < high) {
		size_t middle = (low + high) / 2;
		if (table->parts.items[middle].start <= address)
			low = middle + 1;
		else
			high = middle;
	}
	return low && address < table->parts.items[low - 1].end
		       ? &table->parts.items[low - 1]
		       : NULL;
}

void frame_table_deinit(struct frame_table *table)
{
	for (size_t i = 0; i < table->codes.nr; i++) {
		free(table->codes.items[i].module);
		free(table->codes.items[i].function);
	}
	frame_code_vec_deinit(&table->codes);
	frame_part_vec_deinit(&table->parts);
	map_deinit(&table->numbers);
	*table = (struct frame_table){ 0 };
}
