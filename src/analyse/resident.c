/* resident: see resident.h. */
#include "analyse/resident.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"

static bool counts(const struct page_run *run)
{
	return (run->flags & PAGE_IS_PRESENT) && !(run->flags & PAGE_IS_ZERO);
}

static void drop_others(struct page_run_vec *runs, size_t from)
{
	size_t kept = from;
	for (size_t i = from; i < runs->nr; i++)
		if (counts(&runs->items[i]))
			runs->items[kept++] = runs->items[i];
	runs->nr = kept;
}

struct error *resident_list(struct resident *resident, pid_t via,
			    const struct vma_vec *vmas)
{
	char path[64];
	snprintf(path, sizeof(path), "/proc/%d/pagemap", (int)via);
	CLEANUP_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return error_create(ERROR_SYSTEM, "cannot open %s: %s", path,
				    strerror(errno));
	struct error *error = NULL;
	for (size_t i = 0; !error && i < vmas->nr; i++) {
		const struct vma *vma = &vmas->items[i];
		size_t before = resident->runs.nr;
		if (!vma->counts.bytes[VMA_RSS])
			continue;
		error = pages_list(fd, vma->region.start, vma->region.end,
				   &resident->runs);
		drop_others(&resident->runs, before);
	}
	return error;
}

struct error *resident_take(struct resident *resident, const struct page_run_vec *runs)
{
	for (size_t i = 0; i < runs->nr; i++)
		if (counts(&runs->items[i]) &&
		    !page_run_vec_push(&resident->runs, runs->items[i]))
			return error_no_memory();
	return NULL;
}

void resident_deinit(struct resident *resident)
{
	page_run_vec_deinit(&resident->runs);
}

/* The first run that ends past an address. */
static size_t first_past(const struct resident *resident, uint64_t address)
{
	size_t low = 0, high = resident->runs.nr;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (resident->runs.items[middle].end <= address)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* Often it is the one that was asked for last, or the next. */
static void seek(struct resident *resident, uint64_t address)
{
	const struct page_run *runs = resident->runs.items;
	size_t at = resident->at, nr = resident->runs.nr;
	for (unsigned tries = 0; tries < 2; tries++, at++)
		if (at < nr && runs[at].end > address &&
		    (at == 0 || runs[at - 1].end <= address)) {
			resident->at = at;
			return;
		}
	resident->at = first_past(resident, address);
}

uint64_t resident_bytes(struct resident *resident, uint64_t start, uint64_t end)
{
	uint64_t bytes = 0;
	seek(resident, start);
	for (size_t i = resident->at;
	     i < resident->runs.nr && resident->runs.items[i].start < end; i++) {
		const struct page_run *run = &resident->runs.items[i];
		uint64_t from = run->start > start ? run->start : start;
		uint64_t to = run->end < end ? run->end : end;
		bytes += from < to ? to - from : 0;
	}
	return bytes;
}
