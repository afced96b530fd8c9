/* frames: see frames.h. */
#include "vma/frames.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "target/freezer.h"
#include "target/pages.h"

#define PAGE_BYTES   4096u
#define FRAME_MASK   (((uint64_t)1 << 55) - 1)
#define PAGE_PRESENT ((uint64_t)1 << 63)
#define SEVERAL      UINT64_MAX

static struct error *add_frame(struct vma_frames *frames, uint64_t frame)
{
	uint64_t *owner = map_at(&frames->owners, frame);
	if (!owner)
		return error_no_memory();
	if (!*owner) {
		*owner = frames->nr_processes;
		frames->page_bytes += PAGE_BYTES;
	} else if (*owner != frames->nr_processes && *owner != SEVERAL) {
		*owner = SEVERAL;
		frames->shared_bytes += PAGE_BYTES;
	}
	return NULL;
}

static struct error *check_deadline(uint64_t deadline_ns, pid_t via)
{
	if (!deadline_ns || freezer_now_ns() <= deadline_ns)
		return NULL;
	return error_create(
		ERROR_BUDGET,
		"listing the page frames of process %d takes longer than it may "
		"be stopped",
		(int)via);
}

static struct error *add_run(struct vma_frames *frames, int pagemap_fd,
			     const struct page_run *run, pid_t via, uint64_t deadline_ns)
{
	uint64_t entries[512];
	for (uint64_t at = run->start; at < run->end && !frames->are_hidden;) {
		struct error *error = check_deadline(deadline_ns, via);
		if (error)
			return error;
		uint64_t nr_pages = (run->end - at) / PAGE_BYTES;
		size_t want = nr_pages < ARRAY_SIZE(entries) ? nr_pages
							     : ARRAY_SIZE(entries);
		ssize_t got = pread(pagemap_fd, entries, want * sizeof(entries[0]),
				    (off_t)(at / PAGE_BYTES * sizeof(entries[0])));
		if (got < (ssize_t)sizeof(entries[0]))
			return NULL; /* it ends */
		for (size_t i = 0; i < (size_t)got / sizeof(entries[0]); i++) {
			uint64_t frame = entries[i] & FRAME_MASK;
			if (!(entries[i] & PAGE_PRESENT))
				continue;
			frames->are_hidden |= frame == 0;
			error = add_frame(frames, frame);
			if (error)
				return error;
		}
		at += (uint64_t)got / sizeof(entries[0]) * PAGE_BYTES;
	}
	return NULL;
}

static struct error *add_mapping(struct vma_frames *frames, int pagemap_fd,
				 const struct vma *vma, pid_t via, uint64_t deadline_ns)
{
	struct page_run_vec runs = { 0 };
	struct error *error =
		pages_list(pagemap_fd, vma->region.start, vma->region.end, &runs);
	for (size_t i = 0; !error && i < runs.nr; i++)
		if ((runs.items[i].flags & PAGE_IS_PRESENT) &&
		    !(runs.items[i].flags & PAGE_IS_ZERO))
			error = add_run(frames, pagemap_fd, &runs.items[i], via,
					deadline_ns);
	page_run_vec_deinit(&runs);
	return error;
}

void vma_frames_next(struct vma_frames *frames)
{
	frames->nr_processes++;
}

struct error *vma_frames_add(struct vma_frames *frames, pid_t via,
			     const struct vma_vec *vmas, uint64_t deadline_ns)
{
	char path[64];
	snprintf(path, sizeof(path), "/proc/%d/pagemap", (int)via);
	CLEANUP_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);
	frames->are_hidden |= fd < 0 || !pages_can_scan();
	struct error *error = NULL;
	for (size_t i = 0; !error && !frames->are_hidden && i < vmas->nr; i++)
		if (vmas->items[i].counts.bytes[VMA_RSS])
			error = add_mapping(frames, fd, &vmas->items[i], via,
					    deadline_ns);
	return error;
}

void vma_frames_deinit(struct vma_frames *frames)
{
	map_deinit(&frames->owners);
}
