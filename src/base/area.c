/* area: see area.h. */
#include "base/area.h"

#include <stdint.h>
#include <sys/mman.h>

#define HUGE_BYTES ((size_t)2 << 20)
/* Huge pages save faults in large areas, and cost zeroing in small ones. */
#define WORTH_HUGE ((size_t)8 << 20)
#define PAGE_BYTES ((size_t)4096)

static size_t round_up(size_t bytes)
{
	size_t unit = bytes < WORTH_HUGE ? PAGE_BYTES : HUGE_BYTES;
	return (bytes + unit - 1) & ~(unit - 1);
}

/* A new mapping, aligned so that the kernel can back it with huge pages. */
static void *map_aligned(size_t bytes)
{
	char *memory = mmap(NULL, bytes + HUGE_BYTES, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (memory == MAP_FAILED)
		return NULL;
	size_t lead = -(uintptr_t)memory & (HUGE_BYTES - 1);
	if (lead)
		munmap(memory, lead);
	munmap(memory + lead + bytes, HUGE_BYTES - lead);
	if (bytes >= WORTH_HUGE)
		madvise(memory + lead, bytes, MADV_HUGEPAGE);
	return memory + lead;
}

bool area_reserve(struct area *area, size_t bytes)
{
	if (bytes <= area->bytes)
		return true;
	size_t wanted = round_up(bytes > area->bytes * 2 ? bytes : area->bytes * 2);
	if (wanted < bytes)
		return false;
	void *memory = map_aligned(wanted);
	if (!memory)
		return false;
	if (area->memory && mremap(area->memory, area->bytes, area->bytes,
				   MREMAP_MAYMOVE | MREMAP_FIXED, memory) == MAP_FAILED) {
		munmap(memory, wanted);
		return false;
	}
	area->memory = memory;
	area->bytes = wanted;
	return true;
}

void area_trim(struct area *area, size_t bytes)
{
	size_t kept = round_up(bytes);
	if (kept >= area->bytes)
		return;
	munmap((char *)area->memory + kept, area->bytes - kept);
	area->bytes = kept;
	if (!kept)
		area->memory = NULL;
}

void area_release(struct area *area)
{
	if (area->memory)
		munmap(area->memory, area->bytes);
	*area = (struct area){ 0 };
}
