/*
 * scan: finds the words of a buffer that may point into the heap, with the widest vector
 * instructions the machine has.
 */
#ifndef SEEP_GRAPH_SCAN_H
#define SEEP_GRAPH_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Two ranges of addresses [start, start + size): the biggest span, and the hull of all. */
struct scan_ranges {
	uint64_t start[2], size[2];
};

/* Writes the index and value of each word in either range, ascending; returns how many.
   Both results need room for nr + 8 entries. */
size_t scan_words(const struct scan_ranges *ranges, const uint64_t *words, size_t nr,
		  uint32_t *indices, uint64_t *values);

/* The implementation that this processor gets: "avx512", "avx2", "scalar". */
const char *scan_implementation(void);

/* All implementations, best first, for those who compare them: the name of one, NULL past
   the last; whether this processor can run it; and a scan with it. */
const char *scan_name(size_t index);
bool scan_supported(size_t index);
size_t scan_words_with(size_t index, const struct scan_ranges *ranges,
		       const uint64_t *words, size_t nr, uint32_t *indices,
		       uint64_t *values);

#endif
