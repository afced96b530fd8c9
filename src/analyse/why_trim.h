/*
 * why_trim: what malloc_trim(0) would give back, by doing what it does on the chunks that pass
 * by (glibc's malloc/malloc.c: mtrim and systrim). Free chunks of the bins and fastbins join
 * with their neighbours, those of thread caches do not; of what is joined, whole pages behind
 * the header go; of the main arena's end, all but a page's rest.
 */
#ifndef SEEP_ANALYSE_WHY_TRIM_H
#define SEEP_ANALYSE_WHY_TRIM_H

#include <stdbool.h>
#include <stdint.h>

/* A zeroed struct is one before the first chunk. */
struct why_trim {
	uint64_t start, end; /* free chunks in a row, with headers; empty: none */
};

/* A range of whole pages; empty: none. */
struct trim_range {
	uint64_t start, end;
};

/* A free chunk of a bin or fastbin: it begins at its header. */
void why_trim_add(struct why_trim *trim, uint64_t start, uint64_t size);

/* Something else follows: which pages of the row would go. */
struct trim_range why_trim_end_row(struct why_trim *trim);

/* The main arena's end follows, which the row becomes a part of. */
struct trim_range why_trim_end_heap(struct why_trim *trim, uint64_t top,
				    uint64_t top_bytes);

#endif
