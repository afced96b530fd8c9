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

/* Whether this kernel has PAGEMAP_SCAN. */
bool pages_can_scan(void);

#endif
