/* why_trim: see why_trim.h. */
#include "analyse/why_trim.h"

#define PAGE_BYTES 4096u
/* sizeof(struct malloc_chunk), and the least size of a chunk. */
#define CHUNK_STRUCT 48u
#define CHUNK_LEAST  32u

static uint64_t page_up(uint64_t address)
{
	return (address + PAGE_BYTES - 1) & ~(uint64_t)(PAGE_BYTES - 1);
}

static uint64_t page_down(uint64_t address)
{
	return address & ~(uint64_t)(PAGE_BYTES - 1);
}

void why_trim_add(struct why_trim *trim, uint64_t start, uint64_t size)
{
	if (trim->end != start)
		trim->start = start;
	trim->end = start + size;
}

struct trim_range why_trim_end_row(struct why_trim *trim)
{
	const struct why_trim row = *trim;
	*trim = (struct why_trim){ 0 };
	struct trim_range range = { page_up(row.start + CHUNK_STRUCT),
				    page_down(row.end) };
	if (row.end - row.start <= PAGE_BYTES - 1 + CHUNK_STRUCT ||
	    range.start >= range.end)
		return (struct trim_range){ 0 };
	return range;
}

struct trim_range why_trim_end_heap(struct why_trim *trim, uint64_t top,
				    uint64_t top_bytes)
{
	uint64_t start = trim->end == top && trim->start < trim->end ? trim->start : top;
	uint64_t end = top + top_bytes, size = end - start;
	*trim = (struct why_trim){ 0 };
	if (size <= CHUNK_LEAST + 1)
		return (struct trim_range){ 0 };
	uint64_t extra = page_down(size - CHUNK_LEAST - 1);
	return (struct trim_range){ end - extra, end };
}
