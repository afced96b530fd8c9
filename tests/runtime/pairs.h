/*
 * pairs: whether the events of all threads, in the order of their times, are a possible history: every
 * free is of a block that is there, and no block is given out twice.
 *
 * A block that realloc() moved is seen as going late: another thread may have got its address
 * before. Such an overlap counts only if no reallocation of that address follows.
 */
#ifndef SEEP_TESTS_RUNTIME_PAIRS_H
#define SEEP_TESTS_RUNTIME_PAIRS_H

#include <stdint.h>

/* Keeps the record of an event, if it is of a block. */
void pairs_add(const uint64_t *words);

struct pairs_result {
	uint64_t strays;   /* frees of nothing */
	uint64_t overlaps; /* blocks given out twice */
	uint64_t live;     /* blocks at the end */
};
struct pairs_result pairs_check(void);

#endif
