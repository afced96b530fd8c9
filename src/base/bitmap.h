/*
 * bitmap: bits in 64-bit words; the owner keeps the words.
 */
#ifndef SEEP_BASE_BITMAP_H
#define SEEP_BASE_BITMAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

static inline size_t bitmap_words(size_t nr_bits)
{
	return (nr_bits + 63) / 64;
}

static inline bool bitmap_test(const uint64_t *words, size_t bit)
{
	return (words[bit / 64] >> (bit % 64)) & 1;
}

static inline void bitmap_set(uint64_t *words, size_t bit)
{
	words[bit / 64] |= (uint64_t)1 << (bit % 64);
}

/* Sets the bit; true if it was clear. */
static inline bool bitmap_claim(uint64_t *words, size_t bit)
{
	uint64_t mask = (uint64_t)1 << (bit % 64);
	bool was_clear = !(words[bit / 64] & mask);
	words[bit / 64] |= mask;
	return was_clear;
}

#endif
