/*
 * frames: which page frames processes have resident, so that a frame that several of them map
 * counts once. The kernel tells frames to who has CAP_SYS_ADMIN alone.
 */
#ifndef SEEP_VMA_FRAMES_H
#define SEEP_VMA_FRAMES_H

#include "base/map.h"
#include "vma/smaps.h"

/* A zeroed struct is one that has seen no process. */
struct vma_frames {
	struct map
		owners; /* by frame: 1 + the number of its first process; 0 more of them */
	uint64_t nr_processes;
	uint64_t page_bytes;   /* of distinct frames */
	uint64_t shared_bytes; /* of these, of more than one process */
	bool are_hidden;       /* a process's frames were not told: the sums are none */
};

/* What is added from now on is of one more process. */
void vma_frames_next(struct vma_frames *frames);
/* Adds the resident pages of its mappings; again what was added before changes nothing. Takes no
   longer than until `deadline_ns` of CLOCK_MONOTONIC: ERROR_BUDGET. 0: however long. */
struct error *vma_frames_add(struct vma_frames *frames, pid_t via,
			     const struct vma_vec *vmas, uint64_t deadline_ns) MUST_CHECK;
void vma_frames_deinit(struct vma_frames *frames);

#endif
