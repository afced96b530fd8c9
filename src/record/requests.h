/*
 * requests: pairs of size and stack node, numbered as first met (doc/FORMAT.md, "Traces").
 */
#ifndef SEEP_RECORD_REQUESTS_H
#define SEEP_RECORD_REQUESTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/area.h"
#include "record/prefetch.h"

struct request {
	uint64_t size;
	uint32_t node;
	uint32_t number; /* its own, plus one; 0: nothing is here */
};

/* A zeroed struct is empty. */
struct requests {
	struct request *table; /* open addressing, at most half full */
	size_t size;           /* a power of two, or 0 */
	unsigned shift;        /* 64 less its logarithm */
	uint32_t nr;
	uint32_t nr_forgotten;            /* those before are not in the table */
	struct area table_area, numbered; /* numbered: struct request, by number */
};

#define REQUESTS_NO_MEMORY UINT32_MAX

/* The top bits of a product with 2^64 over the golden ratio. */
static inline size_t requests_place(unsigned shift, uint64_t size, uint32_t node)
{
	return (size_t)((size ^ (uint64_t)node << 20) * 0x9e3779b97f4a7c15u >> shift);
}

/* Gets what will be asked for from memory meanwhile. */
PREFETCH void requests_prefetch(const struct requests *requests, uint64_t size,
				uint32_t node)
{
	if (requests->size)
		__builtin_prefetch(
			&requests->table[requests_place(requests->shift, size, node)]);
}

/* The number of a pair; a new one has the number requests->nr before. */
uint32_t requests_number(struct requests *requests, uint64_t size, uint32_t node);
/* A pair that was met before gets a new number from here on. */
void requests_forget(struct requests *requests);
void requests_deinit(struct requests *requests);

static inline const struct request *requests_at(const struct requests *requests,
						uint32_t number)
{
	return (const struct request *)requests->numbered.memory + number;
}

#endif
