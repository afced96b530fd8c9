/*
 * deaths: what there is to tell of blocks that go, numbered as first met (doc/FORMAT.md,
 * "Traces").
 */
#ifndef SEEP_RECORD_DEATHS_H
#define SEEP_RECORD_DEATHS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/area.h"

struct death {
	uint32_t request;
	uint32_t what;   /* temporary, life and marks as the file has them */
	uint32_t who;    /* allocated it, likewise */
	uint32_t number; /* its own, plus one; 0: nothing is here */
};

/* A zeroed struct is empty. */
struct deaths {
	struct death *table; /* open addressing, at most half full */
	size_t size;         /* a power of two, or 0 */
	unsigned shift;      /* 64 less its logarithm */
	uint32_t nr;
	struct area area;
};

#define DEATHS_NO_MEMORY UINT32_MAX

/* The number of a death; a new one has the number deaths->nr before. */
uint32_t deaths_number(struct deaths *deaths, uint32_t request, uint32_t what,
		       uint32_t who);
void deaths_deinit(struct deaths *deaths);

#endif
