/*
 * area: a large array that grows by moving page tables, not bytes.
 *
 * A zeroed struct is an empty area. Memory comes from mmap, is zero when first seen, and
 * counts only once touched.
 */
#ifndef SEEP_BASE_AREA_H
#define SEEP_BASE_AREA_H

#include <stdbool.h>
#include <stddef.h>

struct area {
	void *memory;
	size_t bytes; /* capacity */
};

/* Makes room for at least `bytes`; false when memory ran out (nothing is lost then). */
bool area_reserve(struct area *area, size_t bytes);

/* Gives back the pages past `bytes`. */
void area_trim(struct area *area, size_t bytes);
void area_release(struct area *area);

#endif
