/*
 * hashes: what blocks hold, as one number each, so that it can be told later which have
 * changed and which are alike.
 *
 * The number is the low half of XXH3's 64 bits over all usable bytes of the block. 0 stands
 * for unknown (a part was not read); what would hash to it is 1.
 */
#ifndef SEEP_ANALYSE_HASHES_H
#define SEEP_ANALYSE_HASHES_H

#include "base/area.h"
#include "heap/heap.h"

struct hasher; /* opaque */

struct error *hasher_create(struct hasher **result) MUST_CHECK;
void hasher_destroy(struct hasher *hasher);

/* The next window, whose first block has this rank. */
struct error *hasher_window(struct hasher *hasher, const struct heap_window *window,
			    uint32_t rank) MUST_CHECK;

/* Ends the last block, and moves the hashes out: uint32_t by rank. */
struct area hasher_finish(struct hasher *hasher);

/* The number of a block of so many zeros; 0: no memory. */
uint32_t hash_of_zeros(uint64_t size);

#endif
