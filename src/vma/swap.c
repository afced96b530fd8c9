/* swap: see swap.h. */
#include "vma/swap.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "vma/account.h"

#define MAX_SWAPS 32u

static void note_where(struct vma_swap *swap, const char *where)
{
	swap->where = swap->where && strcmp(swap->where, where) != 0 ? "zswap and zram"
								     : where;
}

void vma_swap_add_meminfo(struct vma_swap *swap, const char *text)
{
	uint64_t total = 0, free_kib = 0, zswap = 0, zswapped = 0;
	if (vma_field(text, "SwapTotal", &total) &&
	    vma_field(text, "SwapFree", &free_kib) && total >= free_kib)
		swap->used_bytes = (total - free_kib) * 1024;
	if (!vma_field(text, "Zswap", &zswap) ||
	    !vma_field(text, "Zswapped", &zswapped) || !zswapped)
		return;
	swap->compressed_bytes += zswapped * 1024;
	swap->memory_bytes += zswap * 1024;
	note_where(swap, "zswap");
}

bool vma_swap_add_zram(struct vma_swap *swap, const char *text)
{
	uint64_t original = 0, packed = 0, memory = 0;
	if (sscanf(text, "%" SCNu64 " %" SCNu64 " %" SCNu64, &original, &packed,
		   &memory) != 3)
		return false;
	if (!original)
		return true;
	swap->compressed_bytes += original;
	swap->memory_bytes += memory;
	note_where(swap, "zram");
	return true;
}

static bool read_file(const char *path, char *buffer, size_t size)
{
	CLEANUP_FCLOSE FILE *file = fopen(path, "re");
	size_t got = file ? fread(buffer, 1, size - 1, file) : 0;
	buffer[got] = '\0';
	return got > 0;
}

/* A zram counts only if the system swaps to it. */
static void add_zrams(struct vma_swap *swap, const char *swaps)
{
	const char *at = swaps;
	unsigned number = 0;
	for (size_t i = 0; i < MAX_SWAPS && (at = strstr(at, "/dev/zram")); i++, at++) {
		char path[64], text[512];
		if (sscanf(at, "/dev/zram%u", &number) != 1)
			continue;
		snprintf(path, sizeof(path), "/sys/block/zram%u/mm_stat", number);
		if (read_file(path, text, sizeof(text)))
			vma_swap_add_zram(swap, text);
	}
}

void vma_swap_read(struct vma_swap *swap)
{
	char text[16384];
	*swap = (struct vma_swap){ 0 };
	if (read_file("/proc/meminfo", text, sizeof(text)))
		vma_swap_add_meminfo(swap, text);
	if (read_file("/proc/swaps", text, sizeof(text)))
		add_zrams(swap, text);
}

void vma_swap_estimate(const struct vma_swap *swap, uint64_t swapped_bytes,
		       uint64_t *compressed_bytes, uint64_t *memory_bytes)
{
	*compressed_bytes = *memory_bytes = 0;
	if (!swap->compressed_bytes || !swap->used_bytes)
		return;
	/* The counters are not of one moment: no more can be compressed than is swapped, and it is
	   not larger than before. */
	double part = (double)swap->compressed_bytes / (double)swap->used_bytes;
	double ratio = (double)swap->memory_bytes / (double)swap->compressed_bytes;
	double compressed = (double)swapped_bytes * (part < 1 ? part : 1);
	*compressed_bytes = (uint64_t)compressed;
	*memory_bytes = (uint64_t)(compressed * (ratio < 1 ? ratio : 1));
}
