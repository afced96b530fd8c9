/*
 * heap_bins: blocks counted by type.
 */
#ifndef SEEP_VIEWS_HEAP_BINS_H
#define SEEP_VIEWS_HEAP_BINS_H

#include "analyse/block_table.h"

struct heap_bin {
	uint32_t type;
	uint64_t blocks, bytes, largest, lost;
	uint64_t least; /* what its topmost blocks retain, one by one */
	uint32_t open;  /* while counting: blocks of it above the one at hand */
};
DEFINE_VEC(heap_bin_vec, struct heap_bin);

struct heap_question;

/* The blocks that are not in `left` (a bitmap by rank; NULL: all), most bytes first. Types
   without a block are left out. With `least` that is counted too, and comes first. */
struct error *heap_bins_count(struct heap_question *question,
			      const struct block_table *table, const uint64_t *left,
			      bool least, struct heap_bin_vec *bins) MUST_CHECK;

#endif
