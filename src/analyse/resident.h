/*
 * resident: which bytes of a process are resident, for questions that go up through its
 * addresses.
 */
#ifndef SEEP_ANALYSE_RESIDENT_H
#define SEEP_ANALYSE_RESIDENT_H

#include "base/error.h"
#include "target/pages.h"
#include "vma/smaps.h"

/* A zeroed struct is one of a process with nothing resident. */
struct resident {
	struct page_run_vec
		runs; /* ascending; present, and not the kernel's page of zeros */
	size_t at;    /* where the last question led */
};

/* Lists the pages of all mappings. */
struct error *resident_list(struct resident *resident, pid_t via,
			    const struct vma_vec *vmas) MUST_CHECK;
/* The same of runs that were listed already. */
struct error *resident_take(struct resident *resident,
			    const struct page_run_vec *runs) MUST_CHECK;
void resident_deinit(struct resident *resident);

/* How many bytes of [start, end) are. Asking upwards takes no time in all. */
uint64_t resident_bytes(struct resident *resident, uint64_t start, uint64_t end);

#endif
