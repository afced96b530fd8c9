/*
 * pages: memory from the kernel, for code that may not call malloc; zeros at first.
 *
 * Pages are advised as nobody else's are: to stay out of dumps, and to be read at random. So who
 * looks for leaks knows them for ours (target/own_pages.h): frames that were kept from an earlier
 * stack may hold the last pointer to a block.
 */
#ifndef SEEP_RAW_PAGES_H
#define SEEP_RAW_PAGES_H

#include <stddef.h>

/* NULL when there is no memory. Sizes are rounded up to pages by the kernel. */
void *pages_map(size_t bytes);
void pages_unmap(void *pages, size_t bytes);

/* Moves them if need be. NULL when there is no memory; the old ones are left then. */
void *pages_resize(void *pages, size_t old_bytes, size_t new_bytes);

#endif
