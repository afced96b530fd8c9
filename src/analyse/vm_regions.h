/*
 * vm_regions: what the kernel counts of each mapping of a process, in the columns of seep vm, and
 * what it is for.
 */
#ifndef SEEP_ANALYSE_VM_REGIONS_H
#define SEEP_ANALYSE_VM_REGIONS_H

#include "heap/heap.h"
#include "model/vm.h"
#include "vma/account.h"

struct vm_regions {
	struct vm_region_vec regions; /* ascending; owned */
	unsigned known;               /* bits by enum vm_column */
};

/* Fills zeroed mappings of a process that stands still, or stood at the instant that is kept of it.
   Its heap was surveyed. Takes no longer than until `deadline_ns` of CLOCK_MONOTONIC: ERROR_BUDGET. */
struct error *vm_regions_take(const struct target *target, const struct heap *heap,
			      uint64_t deadline_ns,
			      struct vm_regions *mappings) MUST_CHECK;
void vm_regions_deinit(struct vm_regions *mappings);

/* Appends one; `type` is static. */
struct error *vm_regions_add(const struct vma *vma, const char *type,
			     struct vm_region_vec *regions, unsigned *known) MUST_CHECK;

/* The columns of such counts, and which of them are known (bits by enum vm_column). */
void vm_sizes_of(const struct vma_counts *counts, struct vm_sizes *sizes,
		 unsigned *known);

/* What a heap that was surveyed tells of addresses; in order. */
struct error *vm_regions_hint(const struct heap *heap,
			      struct vma_hint_vec *hints) MUST_CHECK;

#endif
