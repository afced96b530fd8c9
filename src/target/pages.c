/* pages: see pages.h. The layouts are the kernel's Documentation/admin-guide/mm/pagemap. */
#include "target/pages.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>

#include "base/cleanup.h"

#define PAGE_SIZE 4096u

/* struct pm_scan_arg and struct page_region of <linux/fs.h> since Linux 6.7; spelled out
   here because the headers of Debian 12 are older. */
struct scan_arg {
	uint64_t size, flags, start, end, walk_end, vec, vec_len, max_pages;
	uint64_t category_inverted, category_mask, category_anyof_mask, return_mask;
};
struct scan_extent {
	uint64_t start, end, categories;
};
static_assert(sizeof(struct scan_arg) == 96, "PAGEMAP_SCAN's argument has 12 words");
#define SCAN_IOCTL _IOWR('f', 16, struct scan_arg)

enum scan_category {
	SCAN_FILE = 1 << 2,
	SCAN_PRESENT = 1 << 3,
	SCAN_SWAPPED = 1 << 4,
	SCAN_ZERO_PAGE = 1 << 5,
};

#define PAGEMAP_PRESENT (1ull << 63)
#define PAGEMAP_SWAPPED (1ull << 62)
#define PAGEMAP_FILE    (1ull << 61)

/* Joins an extent with the last one when they touch. */
static struct error *add_extent(struct extent_vec *extents, struct extent extent)
{
	struct extent *last = extents->nr ? &extents->items[extents->nr - 1] : NULL;
	if (last && last->end == extent.start && last->swapped == extent.swapped) {
		last->end = extent.end;
		return NULL;
	}
	return extent_vec_push(extents, extent) ? NULL : error_no_memory();
}

/* Pages of a private mapping are its own only if they are anonymous; those of a shared one
   whenever they are mapped. */
static struct scan_arg scan_request(const struct region *region, uint64_t start,
				    uint64_t end)
{
	bool shared = region->flags & REGION_SHARED;
	uint64_t unwanted = shared ? SCAN_ZERO_PAGE : SCAN_FILE | SCAN_ZERO_PAGE;
	return (struct scan_arg){
		.size = sizeof(struct scan_arg),
		.start = start,
		.end = end,
		.category_inverted = unwanted,
		.category_mask = unwanted,
		.category_anyof_mask = SCAN_PRESENT | SCAN_SWAPPED,
		.return_mask = SCAN_PRESENT | SCAN_SWAPPED,
	};
}

static struct error *scan_by_ioctl(int fd, const struct region *region, uint64_t start,
				   uint64_t end, struct extent_vec *extents,
				   bool *supported)
{
	struct scan_extent found[512];
	struct scan_arg arg = scan_request(region, start, end);
	arg.vec = (uintptr_t)found;
	arg.vec_len = ARRAY_SIZE(found);
	while (arg.start < end) {
		int nr = ioctl(fd, SCAN_IOCTL, &arg);
		if (nr < 0) {
			*supported = false;
			return NULL;
		}
		for (int i = 0; i < nr; i++) {
			struct extent extent = {
				.start = found[i].start,
				.end = found[i].end,
				.swapped = !(found[i].categories & SCAN_PRESENT),
			};
			struct error *error = add_extent(extents, extent);
			if (error)
				return error;
		}
		if (arg.walk_end <= arg.start)
			break;
		arg.start = arg.walk_end;
	}
	return NULL;
}

static struct error *add_page(const struct region *region, uint64_t address,
			      uint64_t entry, struct extent_vec *extents)
{
	bool here = entry & (PAGEMAP_PRESENT | PAGEMAP_SWAPPED);
	bool of_file = (entry & PAGEMAP_FILE) && !(region->flags & REGION_SHARED);
	if (!here || of_file)
		return NULL;
	return add_extent(extents, (struct extent){
					   .start = address,
					   .end = address + PAGE_SIZE,
					   .swapped = !(entry & PAGEMAP_PRESENT),
				   });
}

/* As many entries of [at, end) as fit, at least one. */
static struct error *read_entries(int fd, uint64_t at, uint64_t end,
				  uint64_t entries[4096], size_t *nr)
{
	uint64_t nr_pages = (end - at) / PAGE_SIZE;
	size_t want = nr_pages < 4096 ? nr_pages : 4096;
	ssize_t got = pread(fd, entries, want * sizeof(entries[0]),
			    (off_t)(at / PAGE_SIZE * sizeof(entries[0])));
	*nr = got < 0 ? 0 : (size_t)got / sizeof(entries[0]);
	if (*nr)
		return NULL;
	return error_create(ERROR_READ, "cannot read the page table of the process: %s",
			    got < 0 ? strerror(errno) : "it has ended");
}

static struct error *scan_by_reading(int fd, const struct region *region, uint64_t start,
				     uint64_t end, struct extent_vec *extents)
{
	uint64_t entries[4096];
	for (uint64_t at = start; at < end;) {
		size_t nr = 0;
		struct error *error = read_entries(fd, at, end, entries, &nr);
		for (size_t i = 0; !error && i < nr; i++, at += PAGE_SIZE)
			error = add_page(region, at, entries[i], extents);
		if (error)
			return error;
	}
	return NULL;
}

struct error *pages_scan(int pagemap_fd, const struct region *region, uint64_t start,
			 uint64_t end, struct extent_vec *extents)
{
	bool supported = true;
	size_t before = extents->nr;
	struct error *error =
		scan_by_ioctl(pagemap_fd, region, start, end, extents, &supported);
	if (error || supported)
		return error;
	extents->nr = before;
	return scan_by_reading(pagemap_fd, region, start, end, extents);
}

struct error *pages_any(int pagemap_fd, const struct region *region, bool *any)
{
	struct scan_extent found;
	struct scan_arg arg = scan_request(region, region->start, region->end);
	arg.vec = (uintptr_t)&found;
	arg.vec_len = 1;
	arg.max_pages = 1;
	int nr = ioctl(pagemap_fd, SCAN_IOCTL, &arg);
	*any = nr > 0;
	if (nr >= 0)
		return NULL;
	struct extent_vec extents = { 0 };
	struct error *error =
		scan_by_reading(pagemap_fd, region, region->start, region->end, &extents);
	*any = extents.nr > 0;
	extent_vec_deinit(&extents);
	return error;
}

/* --- all pages ---------------------------------------------------------------------- */

static struct error *add_run(struct page_run_vec *runs, struct page_run run)
{
	struct page_run *last = runs->nr ? &runs->items[runs->nr - 1] : NULL;
	if (last && last->end == run.start && last->flags == run.flags) {
		last->end = run.end;
		return NULL;
	}
	return page_run_vec_push(runs, run) ? NULL : error_no_memory();
}

static unsigned flags_of_categories(uint64_t categories)
{
	return (categories & SCAN_PRESENT ? PAGE_IS_PRESENT : 0u) |
	       (categories & SCAN_SWAPPED ? PAGE_IS_SWAPPED : 0u) |
	       (categories & SCAN_FILE ? PAGE_IS_FILE : 0u) |
	       (categories & SCAN_ZERO_PAGE ? PAGE_IS_ZERO : 0u);
}

static struct error *list_by_ioctl(int fd, uint64_t start, uint64_t end,
				   struct page_run_vec *runs, bool *supported)
{
	struct scan_extent found[512];
	struct scan_arg arg = {
		.size = sizeof(arg),
		.start = start,
		.end = end,
		.vec = (uintptr_t)found,
		.vec_len = ARRAY_SIZE(found),
		.category_anyof_mask = SCAN_PRESENT | SCAN_SWAPPED,
		.return_mask = SCAN_PRESENT | SCAN_SWAPPED | SCAN_FILE | SCAN_ZERO_PAGE,
	};
	while (arg.start < end) {
		int nr = ioctl(fd, SCAN_IOCTL, &arg);
		*supported = nr >= 0;
		for (int i = 0; i < nr; i++) {
			struct error *error = add_run(
				runs,
				(struct page_run){
					.start = found[i].start,
					.end = found[i].end,
					.flags = flags_of_categories(found[i].categories),
				});
			if (error)
				return error;
		}
		if (nr < 0 || arg.walk_end <= arg.start)
			break;
		arg.start = arg.walk_end;
	}
	return NULL;
}

static unsigned flags_of_entry(uint64_t entry)
{
	return (entry & PAGEMAP_PRESENT ? PAGE_IS_PRESENT : 0u) |
	       (entry & PAGEMAP_SWAPPED ? PAGE_IS_SWAPPED : 0u) |
	       (entry & PAGEMAP_FILE ? PAGE_IS_FILE : 0u);
}

static struct error *list_by_reading(int fd, uint64_t start, uint64_t end,
				     struct page_run_vec *runs)
{
	uint64_t entries[4096];
	for (uint64_t at = start; at < end;) {
		size_t nr = 0;
		struct error *error = read_entries(fd, at, end, entries, &nr);
		for (size_t i = 0; !error && i < nr; i++, at += PAGE_SIZE) {
			struct page_run run = { at, at + PAGE_SIZE,
						flags_of_entry(entries[i]) };
			if (run.flags & (PAGE_IS_PRESENT | PAGE_IS_SWAPPED))
				error = add_run(runs, run);
		}
		if (error)
			return error;
	}
	return NULL;
}

struct error *pages_list(int pagemap_fd, uint64_t start, uint64_t end,
			 struct page_run_vec *runs)
{
	bool supported = true;
	size_t before = runs->nr;
	struct error *error = list_by_ioctl(pagemap_fd, start, end, runs, &supported);
	if (error || supported)
		return error;
	runs->nr = before;
	return list_by_reading(pagemap_fd, start, end, runs);
}

bool pages_can_scan(void)
{
	CLEANUP_CLOSE int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	struct scan_arg arg = {
		.size = sizeof(arg),
		.category_anyof_mask = SCAN_PRESENT,
		.return_mask = SCAN_PRESENT,
	};
	return fd >= 0 && ioctl(fd, SCAN_IOCTL, &arg) >= 0;
}
