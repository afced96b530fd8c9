/*
 * fake: a target of bytes that a test wrote. Every page of every region is present unless
 * it was marked otherwise; a region added with NULL bytes cannot be read at all.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "target/target.h"

#define PAGE_SIZE 4096u

struct mark {
	uint64_t start, end;
	enum target_fake_pages pages;
};
DEFINE_VEC(mark_vec, struct mark);

struct target_fake {
	struct target base;
	unsigned char **contents; /* one per region, in the same order */
	struct mark_vec marks;    /* the last that covers a page counts */
};

static enum target_fake_pages state_of_page(const struct target_fake *fake, uint64_t page)
{
	for (size_t i = fake->marks.nr; i-- > 0;)
		if (page >= fake->marks.items[i].start && page < fake->marks.items[i].end)
			return fake->marks.items[i].pages;
	return FAKE_PAGES_PRESENT;
}

static struct error *fake_freeze(struct target *target)
{
	(void)target;
	return NULL;
}

static uint64_t fake_thaw(struct target *target)
{
	(void)target;
	return 0;
}

static struct error *fake_read(struct target *target, uint64_t address, void *buffer,
			       size_t size, size_t *nr_read)
{
	struct target_fake *fake = (struct target_fake *)target;
	size_t done = 0;
	while (done < size) {
		const struct region *region = target_region(target, address + done);
		if (!region)
			break;
		const unsigned char *bytes =
			fake->contents[region - target->regions.items];
		if (!bytes)
			break;
		uint64_t offset = address + done - region->start;
		uint64_t available = region->end - region->start - offset;
		size_t step = size - done < available ? size - done : (size_t)available;
		memcpy((char *)buffer + done, bytes + offset, step);
		done += step;
	}
	*nr_read = done;
	return NULL;
}

/* Pages of one state from `at` on. */
static struct extent run_of_pages(const struct target_fake *fake, uint64_t at,
				  uint64_t end, enum target_fake_pages *pages)
{
	*pages = state_of_page(fake, at);
	struct extent run = { .start = at, .swapped = *pages == FAKE_PAGES_SWAPPED };
	do
		at += PAGE_SIZE;
	while (at < end && state_of_page(fake, at) == *pages);
	run.end = at < end ? at : end;
	return run;
}

static struct error *fake_extents(struct target *target, const struct region *region,
				  uint64_t start, uint64_t end,
				  struct extent_vec *extents)
{
	struct target_fake *fake = (struct target_fake *)target;
	if (!fake->contents[region - target->regions.items])
		return NULL;
	while (start < end) {
		enum target_fake_pages pages;
		struct extent run = run_of_pages(fake, start, end, &pages);
		if (pages != FAKE_PAGES_ABSENT && !extent_vec_push(extents, run))
			return error_no_memory();
		start = run.end;
	}
	return NULL;
}

static struct error *fake_open_module(struct target *target, const struct module *module,
				      int *fd)
{
	(void)target;
	(void)fd;
	return error_create(ERROR_READ, "%s: a fake target has no files", module->path);
}

static void fake_destroy(struct target *target)
{
	struct target_fake *fake = (struct target_fake *)target;
	for (size_t i = 0; i < target->regions.nr; i++)
		free(fake->contents[i]);
	free(fake->contents);
	mark_vec_deinit(&fake->marks);
	target_forget(target);
	free(target->name);
	free(fake);
}

static const struct target_ops fake_ops = {
	.name = "fake",
	.unread = "swapped out",
	.freeze = fake_freeze,
	.thaw = fake_thaw,
	.read = fake_read,
	.extents = fake_extents,
	.open_module = fake_open_module,
	.destroy = fake_destroy,
};

struct error *target_fake_create(struct target **target)
{
	struct target_fake *fake = calloc(1, sizeof(*fake));
	char *name = strdup("fake");
	if (!fake || !name) {
		free(fake);
		free(name);
		return error_no_memory();
	}
	fake->base = (struct target){ .ops = &fake_ops, .name = name };
	*target = &fake->base;
	return NULL;
}

struct error *target_fake_add(struct target *target, uint64_t address, const void *bytes,
			      size_t size, unsigned flags, const char *name)
{
	struct target_fake *fake = (struct target_fake *)target;
	size_t mapped = (size + PAGE_SIZE - 1) / PAGE_SIZE * PAGE_SIZE;
	struct region region = {
		.start = address,
		.end = address + mapped,
		.flags = flags,
		.inode = name[0] == '/',
		.name = strdup(name),
	};
	unsigned char **contents =
		reallocarray(fake->contents, target->regions.nr + 1, sizeof(*contents));
	if (contents)
		fake->contents = contents;
	unsigned char *copy = bytes ? calloc(1, mapped) : NULL;
	if (!contents || !region.name || (bytes && !copy) ||
	    !region_vec_push(&target->regions, region)) {
		free(region.name);
		free(copy);
		return error_no_memory();
	}
	if (bytes)
		memcpy(copy, bytes, size);
	/* Tests may add regions in any order; the lists stay sorted. */
	size_t i = target->regions.nr - 1;
	for (; i > 0 && target->regions.items[i - 1].start > address; i--) {
		target->regions.items[i] = target->regions.items[i - 1];
		contents[i] = contents[i - 1];
	}
	target->regions.items[i] = region;
	contents[i] = copy;
	return NULL;
}

struct error *target_fake_mark(struct target *target, uint64_t start, uint64_t end,
			       enum target_fake_pages pages)
{
	struct target_fake *fake = (struct target_fake *)target;
	for (uint64_t at = start; pages == FAKE_PAGES_ABSENT && at < end;
	     at += PAGE_SIZE) {
		const struct region *region = target_region(target, at);
		unsigned char *bytes =
			region ? fake->contents[region - target->regions.items] : NULL;
		if (bytes)
			memset(bytes + (at - region->start), 0, PAGE_SIZE);
	}
	struct mark mark = { .start = start, .end = end, .pages = pages };
	return mark_vec_push(&fake->marks, mark) ? NULL : error_no_memory();
}

struct error *target_fake_add_thread(struct target *target, pid_t tid, uint64_t sp,
				     const uint64_t *words, size_t nr_words)
{
	struct thread thread = {
		.tid = tid,
		.sp = sp,
		.words = calloc(nr_words ? nr_words : 1, sizeof(uint64_t)),
		.nr_words = nr_words,
		.nr_general = nr_words,
	};
	if (!thread.words)
		return error_no_memory();
	if (nr_words)
		memcpy(thread.words, words, nr_words * sizeof(uint64_t));
	if (!thread_vec_push(&target->threads, thread)) {
		free(thread.words);
		return error_no_memory();
	}
	return NULL;
}
