/*
 * kind: what a mapping is for, as far as its name, its flags, the modules around it and what
 * others know of its addresses tell.
 */
#ifndef SEEP_VMA_KIND_H
#define SEEP_VMA_KIND_H

#include "vma/smaps.h"

enum vma_kind {
	VMA_HEAP,   /* the program break's */
	VMA_ARENA,  /* heaps of malloc's other arenas */
	VMA_MAPPED, /* blocks that malloc gave a mapping of their own */
	VMA_STACK,
	VMA_THREAD_STACK,
	VMA_TLS,
	VMA_TEXT,
	VMA_RODATA,
	VMA_RELRO,
	VMA_DATA,
	VMA_BSS,
	VMA_ANONYMOUS_MEMORY,
	VMA_NAMED, /* anonymous, and named by the program */
	VMA_FILE,
	VMA_SHARED_MEMORY, /* memfd, shm, tmpfs */
	VMA_HUGETLB,
	VMA_DEVICE,
	VMA_GUARD,
	VMA_RESERVED, /* addresses that may not be used */
	VMA_KERNEL,   /* vdso, vvar */
	VMA_NR_KINDS
};

/* "heap", "thread arena", "text", … */
extern const char *const vma_kind_names[VMA_NR_KINDS];

/* What somebody knows of addresses: malloc's arenas, threads' stacks. */
struct vma_hint {
	uint64_t start, end;
	enum vma_kind kind;
};
DEFINE_VEC(vma_hint_vec, struct vma_hint);

/* Devices ("major:minor") of file systems that keep their files in memory. */
struct vma_device {
	uint32_t major, minor;
};
DEFINE_VEC(vma_device_vec, struct vma_device);

/* Appends those of the text of a /proc/PID/mountinfo; lines that make no sense are passed
   over. */
struct error *vma_memory_devices(const char *text, size_t size,
				 struct vma_device_vec *devices) MUST_CHECK;

/* Puts them in order; of two that overlap the second begins where the first ends. */
void vma_hints_sort(struct vma_hint_vec *hints);

struct vma_surroundings {
	const struct target *target;      /* its modules and threads */
	const struct vma_hint_vec *hints; /* ascending, disjoint: vma_hints_sort() */
	const struct vma_device_vec *devices;
};

/* Of the i-th of all mappings, those of the target. */
enum vma_kind vma_kind_of(const struct vma_vec *vmas, size_t i,
			  const struct vma_surroundings *surroundings);

#endif
