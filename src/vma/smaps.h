/*
 * smaps: what the kernel counts of each mapping, from the text of /proc/PID/smaps, and of all
 * of them together, from /proc/PID/smaps_rollup. doc: the kernel's filesystems/proc.
 *
 * Sizes are bytes. Which of them a kernel tells depends on its version: `known` says.
 */
#ifndef SEEP_VMA_SMAPS_H
#define SEEP_VMA_SMAPS_H

#include "target/target.h"

enum vma_count {
	VMA_SIZE,
	VMA_RSS,
	VMA_PSS,       /* resident, each page divided by how many map it */
	VMA_PSS_DIRTY, /* of these, what is dirty (Linux 6.0) */
	VMA_PSS_ANON,  /* in a rollup */
	VMA_PSS_FILE,  /* in a rollup */
	VMA_PSS_SHMEM, /* in a rollup */
	VMA_SHARED_CLEAN,
	VMA_SHARED_DIRTY,
	VMA_PRIVATE_CLEAN,
	VMA_PRIVATE_DIRTY,
	VMA_ANONYMOUS,
	VMA_LAZY_FREE,
	VMA_ANON_HUGE,
	VMA_SHMEM_HUGE,
	VMA_FILE_HUGE,
	VMA_SHARED_HUGETLB, /* in no other size of a mapping */
	VMA_PRIVATE_HUGETLB,
	VMA_SWAP,
	VMA_SWAP_PSS,
	VMA_LOCKED,
	VMA_NR_COUNTS
};

struct vma_counts {
	uint64_t bytes[VMA_NR_COUNTS];
	uint32_t known; /* bits by enum vma_count */
};

static inline bool vma_knows(const struct vma_counts *counts, enum vma_count count)
{
	return counts->known >> count & 1;
}

/* Of VmFlags, what tells what a mapping is. */
enum vma_flags {
	VMA_IS_HUGETLB = 1 << 0,
	VMA_IS_DEVICE = 1 << 1,    /* memory of a device, or raw page frames */
	VMA_WAS_WRITABLE = 1 << 2, /* counted as private and writable once */
	VMA_HAS_FLAGS = 1 << 3,    /* the kernel told flags */
};

struct vma {
	struct region region; /* owned */
	struct vma_counts counts;
	unsigned flags; /* enum vma_flags */
};
DEFINE_VEC(vma_vec, struct vma);

/*
 * Appends the mappings of `text` (need not be NUL-terminated). As with maps_parse(), nothing
 * in it is trusted: ERROR_FORMAT names `source` and the line. Lines that a later kernel may
 * have added are passed over.
 */
struct error *smaps_parse(const char *text, size_t size, const char *source,
			  struct vma_vec *vmas) MUST_CHECK;

/* The same of smaps_rollup, which has one mapping that stands for all. */
struct error *smaps_parse_rollup(const char *text, size_t size, const char *source,
				 struct vma_counts *counts) MUST_CHECK;

/* The mapping that holds an address, or NULL. */
const struct region *vmas_at(const struct vma_vec *vmas, uint64_t address);

void vmas_deinit(struct vma_vec *vmas);

#endif
