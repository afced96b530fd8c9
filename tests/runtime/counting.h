/* counting: what counting.c leaves in the file that COUNTS names. */
#ifndef SEEP_TESTS_RUNTIME_COUNTING_H
#define SEEP_TESTS_RUNTIME_COUNTING_H

#include <stdatomic.h>
#include <stdint.h>

struct counts {
	_Atomic uint64_t taken; /* by the first process that begins */
	_Atomic uint64_t allocations, bytes, frees;
	_Atomic uint64_t resizes, resized_bytes; /* realloc() of a block */
};

#endif
