/*
 * swap: how much of what the whole system has swapped out stands compressed in memory, in
 * zswap or on zram, and how small it became there. Of one process the kernel does not tell.
 */
#ifndef SEEP_VMA_SWAP_H
#define SEEP_VMA_SWAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct vma_swap {
	uint64_t used_bytes;       /* of all swap of the system */
	uint64_t compressed_bytes; /* of these, what stands compressed in memory */
	uint64_t memory_bytes;     /* that they take there */
	const char *where;         /* "zswap", "zram", "zswap and zram" */
};

/* What /proc and /sys tell; zeros where there is none. */
void vma_swap_read(struct vma_swap *swap);

/* Adds what the text of /proc/meminfo tells. */
void vma_swap_add_meminfo(struct vma_swap *swap, const char *text);
/* Adds what the text of a zram's mm_stat tells; false if it makes no sense. */
bool vma_swap_add_zram(struct vma_swap *swap, const char *text);

/* Of so many swapped bytes: how many are compressed, and what these take, if the process is
   like the system as a whole. */
void vma_swap_estimate(const struct vma_swap *swap, uint64_t swapped_bytes,
		       uint64_t *compressed_bytes, uint64_t *memory_bytes);

#endif
