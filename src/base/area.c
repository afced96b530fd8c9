/* area: see area.h. */
#include "base/area.h"

#include <stdint.h>
#include <sys/mman.h>

#define HUGE_BYTES ((size_t)2 << 20)

static size_t round_up(size_t bytes)
{
	return (bytes + HUGE_BYTES - 1) & ~(HUGE_BYTES - 1);
}

/* A new mapping, aligned so that the kernel can back it with huge pages. */
static void *map_aligned(size_t bytes)
{
	char *memory = mmap(NULL, bytes + HUGE_BYTES, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (memory == MAP_FAILED)
		return NULL;
	size_t lead = round_up((uintptr_t)memory) - (uintptr_t)memory;
	if (lead)
		munmap(memory, lead);
	munmap(memory + lead + bytes, HUGE_BYTES - lead);
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
