/*
 * pages: which pages of a process have contents of their own, asked of the kernel without
 * faulting anything in. Uses the PAGEMAP_SCAN ioctl (Linux 6.7) and falls back to reading
 * /proc/PID/pagemap.
 */
#ifndef SEEP_TARGET_PAGES_H
#define SEEP_TARGET_PAGES_H

#include "target/target.h"

/* `pagemap_fd` is /proc/PID/pagemap; [start, end) lies in `region`. */
struct error *pages_scan(int pagemap_fd, const struct region *region, uint64_t start,
			 uint64_t end, struct extent_vec *extents) MUST_CHECK;

/* Whether any page of the region has contents of its own. */
struct error *pages_any(int pagemap_fd, const struct region *region,
			bool *any) MUST_CHECK;

enum page_flags {
	PAGE_IS_PRESENT = 1 << 0,
	PAGE_IS_SWAPPED = 1 << 1,
	PAGE_IS_FILE = 1 << 2, /* of a file or shared memory, and not the process's own */
	PAGE_IS_ZERO =
		1 << 3, /* the kernel's page of zeros, which counts for nobody; known only
				  where the kernel has PAGEMAP_SCAN */
};

/* A run of pages that are all the same. */
struct page_run {
	uint64_t start, end;
	unsigned flags; /* enum page_flags */
};
DEFINE_VEC(page_run_vec, struct page_run);

/* Appends the runs of [start, end) that are present or swapped, ascending. */
struct error *pages_list(int pagemap_fd, uint64_t start, uint64_t end,
			 struct page_run_vec *runs) MUST_CHECK;

/* Whether this kernel has PAGEMAP_SCAN. */
bool pages_can_scan(void);

#endif
