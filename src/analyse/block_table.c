/* block_table: see block_table.h. */
#include "analyse/block_table.h"

#include <string.h>

#include "analyse/block_types.h"
#include "analyse/leaks.h"
#include "base/hash.h"
#include "base/map.h"
#include "model/size_class.h"

/* What the first bytes of blocks look like begins with one of so many letters. */
#define NR_LETTERS 128u

struct numberer {
	const struct look *look;
	struct block_table *table;
	/* Numbers + 1; 0: not known yet. */
	uint32_t by_code[UINT16_MAX + 1];               /* classes */
	uint32_t by_size[NR_LETTERS][SIZE_CLASSES_MAX]; /* all else */
	struct map by_name; /* classes by their names: one may have several vtables */
	bool failed;
};

static uint32_t new_number(struct numberer *numberer, uint16_t code, uint64_t size)
{
	struct block_row row = { .code = code, .size = size };
	if (block_row_vec_push(&numberer->table->rows, row))
		return numberer->table->rows.nr;
	numberer->failed = true;
	return 0;
}

static uint32_t number_of_class(struct numberer *numberer, const char *class,
				uint16_t code, uint64_t size)
{
	uint64_t key = hash_bytes(HASH_SEED, class, strlen(class));
	uint64_t *number = map_at(&numberer->by_name, key);
	numberer->failed |= !number;
	if (number && !*number)
		*number = new_number(numberer, code, size);
	return number ? (uint32_t)*number : 0;
}

/* The number of a block's type, + 1. */
static uint32_t number_of(struct numberer *numberer, uint16_t code, uint64_t size)
{
	const struct natures *natures = numberer->table->natures;
	unsigned letter = 0;
	if (numberer->table->group_by != GROUP_BY_SIZE) {
		if (numberer->by_code[code])
			return numberer->by_code[code];
		const char *class = natures_class(natures, code);
		if (class)
			return numberer->by_code[code] =
				       number_of_class(numberer, class, code, size);
		letter = (unsigned char)natures_word(natures, code)[0] % NR_LETTERS;
	}
	uint32_t *number = &numberer->by_size[letter][size_class_number(size)];
	if (!*number)
		*number = new_number(numberer, code, size);
	return *number;
}

static void number_block(void *context, uint32_t rank, uint64_t address, uint64_t size)
{
	(void)address;
	struct numberer *numberer = context;
	uint16_t code = natures_get(numberer->look->natures, rank);
	uint32_t number = number_of(numberer, code, size);
	((uint32_t *)numberer->table->numbers.memory)[rank] = number ? number - 1 : 0;
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
	map_deinit(&numberer->by_name);
	free(numberer);
	return failed ? error_no_memory() : NULL;
}

void block_table_deinit(struct block_table *table)
{
	block_row_vec_deinit(&table->rows);
	area_release(&table->numbers);
	*table = (struct block_table){ 0 };
}

char *block_table_name(const struct block_table *table, uint32_t type)
{
	if (table->labels)
		return strdup(table->labels[type]);
	const struct block_row *row = &table->rows.items[type];
	return block_type_name(table->natures, row->code, row->size, table->group_by);
}
