/*
 * mappings: ranges of memory that the program mapped itself and that are still mapped.
 *
 * They are kept in order of address and without overlap; neighbours stay apart. The kernel
 * allows a process some 65,000 of them.
 */
#ifndef SEEP_RECORD_MAPPINGS_H
#define SEEP_RECORD_MAPPINGS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/vec.h"

struct mapping {
	uint64_t start, end;
};
DEFINE_VEC(mapping_vec, struct mapping);

/* Both return false when memory ran out. *unmapped: how many bytes of them went. */
bool mappings_add(struct mapping_vec *mappings, uint64_t start, uint64_t size,
		  uint64_t *unmapped);
bool mappings_remove(struct mapping_vec *mappings, uint64_t start, uint64_t size,
		     uint64_t *unmapped);

#endif
