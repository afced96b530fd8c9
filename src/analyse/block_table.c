/* block_table: see block_table.h. */
#include "analyse/block_table.h"

#include <string.h>

#include "analyse/block_types.h"
#include "analyse/leaks.h"
#include "analyse/size_class.h"
#include "base/hash.h"

struct numberer {
	const struct look *look;
	struct block_table *table;
	uint64_t classes[UINT16_MAX + 1]; /* keys by code; 0: not known yet */
	uint64_t last_key;
	uint32_t last; /* its number */
	bool has_last, failed;
};

/* What blocks of one type have in common. Classes go by their names: one may have several
   vtables. */
static uint64_t key_of(struct numberer *numberer, uint16_t code, uint64_t size)
{
	const struct block_table *table = numberer->table;
	uint64_t size_key = size_class_of(size) << 16;
	if (table->group_by == GROUP_BY_SIZE)
		return size_key;
	const char *class = natures_class(table->natures, code);
	if (!class)
		return size_key |
		       (uint16_t)(natures_word(table->natures, code)[0] & 0x7f);
	if (!numberer->classes[code])
		numberer->classes[code] = hash_bytes(HASH_SEED, class, strlen(class)) |
					  1u << 15;
	return numberer->classes[code];
}

static uint32_t number_of(struct numberer *numberer, uint16_t code, uint64_t size)
{
	uint64_t key = key_of(numberer, code, size);
	if (numberer->has_last && key == numberer->last_key)
		return numberer->last;
	uint64_t *number = map_at(&numberer->table->ids, key);
	struct block_row row = { .code = code, .size = size };
	if (number && !*number && block_row_vec_push(&numberer->table->rows, row))
		*number = numberer->table->rows.nr;
	numberer->failed |= !number || !*number;
	if (numberer->failed)
		return 0;
	numberer->has_last = true;
	numberer->last_key = key;
	numberer->last = (uint32_t)(*number - 1);
	return numberer->last;
}

static void number_block(void *context, uint32_t rank, uint64_t address, uint64_t size)
{
	(void)address;
	struct numberer *numberer = context;
	uint16_t code = natures_get(numberer->look->natures, rank);
	((uint32_t *)numberer->table->numbers.memory)[rank] =
		number_of(numberer, code, size);
}

struct error *block_table_make(const struct look *look, unsigned group_by,
			       struct block_table *table)
{
	*table = (struct block_table){ .natures = look->natures, .group_by = group_by };
	struct numberer *numberer = calloc(1, sizeof(*numberer));
	if (!numberer || !area_reserve(&table->numbers,
				       (look->graph.nr_blocks + 1) * sizeof(uint32_t))) {
		free(numberer);
		return error_no_memory();
	}
	numberer->look = look;
	numberer->table = table;
	space_each(&look->graph.space, number_block, numberer);
	bool failed = numberer->failed;
	free(numberer);
	return failed ? error_no_memory() : NULL;
}

void block_table_deinit(struct block_table *table)
{
	map_deinit(&table->ids);
	block_row_vec_deinit(&table->rows);
	area_release(&table->numbers);
	*table = (struct block_table){ 0 };
}

char *block_table_name(const struct block_table *table, uint32_t type)
{
	const struct block_row *row = &table->rows.items[type];
	return block_type_name(table->natures, row->code, row->size, table->group_by);
}
