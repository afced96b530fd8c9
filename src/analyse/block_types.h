/*
 * block_types: what a block is in a report, told from its nature and its size.
 */
#ifndef SEEP_ANALYSE_BLOCK_TYPES_H
#define SEEP_ANALYSE_BLOCK_TYPES_H

#include <stdint.h>

#include "analyse/nature.h"

/* "class Cache", "item[]", "24-byte block of text"; by GROUP_BY_SIZE "24-byte block". NULL: no memory. */
char *block_type_name(const struct natures *natures, uint16_t code, uint64_t size,
		      unsigned group_by);

/* The same for the same code in another run: of names, not of numbers or addresses. */
uint64_t block_type_hash(const struct natures *natures, uint16_t code, uint64_t size);

#endif
