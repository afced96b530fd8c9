/*
 * block_table: the types of blocks as small numbers, for whoever counts by them.
 *
 * A type is the class of a vtable, or what the first bytes look like together with a size class.
 */
#ifndef SEEP_ANALYSE_BLOCK_TABLE_H
#define SEEP_ANALYSE_BLOCK_TABLE_H

#include "analyse/look.h"
#include "base/area.h"
#include "base/vec.h"

struct block_row {
	uint16_t code; /* of its first block */
	uint64_t size;
};
DEFINE_VEC(block_row_vec, struct block_row);

struct block_table {
	const struct natures *natures;
	unsigned group_by;         /* GROUP_BY_TYPE, GROUP_BY_SIZE */
	struct block_row_vec rows; /* by number */
	struct area numbers;       /* uint32_t by rank */
	const char *const *labels; /* by number; not owned; NULL: types and sizes tell */
};

/* Numbers all blocks of the look. */
struct error *block_table_make(const struct look *look, unsigned group_by,
			       struct block_table *table) MUST_CHECK;
void block_table_deinit(struct block_table *table);

static inline uint32_t block_table_type(const struct block_table *table, uint32_t rank)
{
	return ((const uint32_t *)table->numbers.memory)[rank];
}

/* "class Node"; owned by the caller; NULL: no memory. */
char *block_table_name(const struct block_table *table, uint32_t type);

#endif
