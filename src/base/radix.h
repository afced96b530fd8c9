/*
 * radix: numbers in ascending order, in time that is linear in how many they are.
 */
#ifndef SEEP_BASE_RADIX_H
#define SEEP_BASE_RADIX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* By their bits from `low` on; numbers that are the same there stay in their order. False: memory for as
   many again ran out; the order is any then. */
bool radix_sort(uint64_t *numbers, size_t nr, unsigned low);

#endif
