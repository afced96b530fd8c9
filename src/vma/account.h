/*
 * account: all that the kernel counts of a process's memory, read from /proc at one time.
 */
#ifndef SEEP_VMA_ACCOUNT_H
#define SEEP_VMA_ACCOUNT_H

#include "vma/kind.h"

struct instant; /* target/instant.h */

struct vma_account {
	struct vma_vec vmas;
	struct vma_counts
		total; /* smaps_rollup's; without one the sums of the mappings */
	struct vma_device_vec devices;
	uint64_t page_table_bytes; /* VmPTE */
	uint64_t nr_threads;
};

/* Fills a zeroed account. `via` is a thread of the process that has not ended. Takes no
   longer than until `deadline_ns` of CLOCK_MONOTONIC: ERROR_BUDGET. 0: however long. */
struct error *vma_account_read(pid_t via, uint64_t deadline_ns,
			       struct vma_account *account) MUST_CHECK;
/* The same, as it was at the instant of a frozen copy. Without rollup: shares are rounded. */
struct error *vma_account_of_instant(pid_t via, const struct instant *instant,
				     struct vma_account *account) MUST_CHECK;
void vma_account_deinit(struct vma_account *account);

/* The sums of all mappings. A count that one of them lacks is not known. */
void vma_counts_sum(const struct vma_vec *vmas, struct vma_counts *sum);

/* A number of a line "Name:  1234 kB" of a text like /proc/PID/status, as it stands there;
   false if there is none. */
bool vma_field(const char *text, const char *name, uint64_t *number);

#endif
