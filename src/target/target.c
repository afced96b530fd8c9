/* target: what all kinds of targets share; see target.h. */
#include "target/target.h"

#include <inttypes.h>
#include <string.h>

#include "target/maps.h"

struct error *target_freeze(struct target *target)
{
	return target->ops->freeze(target);
}

uint64_t target_thaw(struct target *target)
{
	return target->ops->thaw(target);
}

uint64_t target_settle(struct target *target)
{
	return target->ops->settle ? target->ops->settle(target) : 0;
}

void target_destroy(struct target *target)
{
	if (target)
		target->ops->destroy(target);
}

struct error *target_read(struct target *target, uint64_t address, void *buffer,
			  size_t size)
{
	size_t nr_read = 0;
	struct error *error = target->ops->read(target, address, buffer, size, &nr_read);
	if (error || nr_read == size)
		return error;
	return error_create(ERROR_READ, "%s: no readable memory at 0x%" PRIx64,
			    target->name, address + nr_read);
}

struct error *target_read_word(struct target *target, uint64_t address, uint64_t *word)
{
	return target_read(target, address, word, sizeof(*word));
}

struct error *target_extents(struct target *target, const struct region *region,
			     uint64_t start, uint64_t end, struct extent_vec *extents)
{
	return target->ops->extents(target, region, start, end, extents);
}

struct error *target_open_module(struct target *target, const struct module *module,
				 int *fd)
{
	return target->ops->open_module(target, module, fd);
}

const struct region *target_region(const struct target *target, uint64_t address)
{
	size_t low = 0, high = target->regions.nr;
	while (low < high) {
		size_t middle = (low + high) / 2;
		if (target->regions.items[middle].end <= address)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == target->regions.nr || target->regions.items[low].start > address)
		return NULL;
	return &target->regions.items[low];
}

const struct module *target_module(const struct target *target, uint64_t address)
{
	for (size_t i = 0; i < target->modules.nr; i++) {
		const struct module *module = &target->modules.items[i];
		if (address >= module->start && address < module->end)
			return module;
	}
	return NULL;
}

const struct module *target_module_named(const struct target *target, const char *prefix)
{
	for (size_t i = 0; i < target->modules.nr; i++) {
		const char *path = target->modules.items[i].path;
		const char *slash = strrchr(path, '/');
		const char *file = slash ? slash + 1 : path;
		if (!strncmp(file, prefix, strlen(prefix)))
			return &target->modules.items[i];
	}
	return NULL;
}

static bool same_file(const struct region *a, const struct region *b)
{
	return a->inode == b->inode && a->major == b->major && a->minor == b->minor &&
	       !strcmp(a->name, b->name);
}

/* How many regions from `first` on belong to one mapping of one file. Regions without a
   file (bss, guards) may lie between; a second mapping from offset 0 begins a new module. */
static size_t module_length(const struct region_vec *regions, size_t first)
{
	const struct region *head = &regions->items[first];
	size_t length = 1;
	for (size_t i = first + 1; i < regions->nr; i++) {
		const struct region *next = &regions->items[i];
		if (same_file(head, next) && next->offset > head->offset)
			length = i - first + 1;
		else if (next->inode != 0)
			break;
	}
	return length;
}

static bool has_code(const struct region *regions, size_t nr)
{
	for (size_t i = 0; i < nr; i++)
		if (regions[i].inode && (regions[i].flags & REGION_EXEC))
			return true;
	return false;
}

static struct error *add_module(struct target *target, size_t first, size_t length)
{
	const struct region *regions = &target->regions.items[first];
	static const char mark[] = " (deleted)";
	size_t path_length = strlen(regions->name);
	bool deleted = path_length > strlen(mark) &&
		       !strcmp(regions->name + path_length - strlen(mark), mark);
	if (deleted)
		path_length -= strlen(mark);
	struct module module = {
		.path = strndup(regions->name, path_length),
		.start = regions[0].start,
		.end = regions[length - 1].end,
		.first_region = first,
		.nr_regions = length,
		.deleted = deleted,
	};
	if (!module.path || !module_vec_push(&target->modules, module)) {
		free(module.path);
		return error_no_memory();
	}
	return NULL;
}

struct error *target_find_modules(struct target *target)
{
	for (size_t i = 0; i < target->regions.nr;) {
		const struct region *region = &target->regions.items[i];
		if (region->name[0] != '/' || region->inode == 0) {
			i++;
			continue;
		}
		size_t length = module_length(&target->regions, i);
		if (has_code(region, length)) {
			struct error *error = add_module(target, i, length);
			if (error)
				return error;
		}
		i += length;
	}
	return NULL;
}

void thread_deinit(struct thread *thread)
{
	free(thread->words);
	free(thread->general);
	free(thread->vectors);
	*thread = (struct thread){ 0 };
}

void target_forget(struct target *target)
{
	regions_deinit(&target->regions);
	for (size_t i = 0; i < target->modules.nr; i++)
		free(target->modules.items[i].path);
	module_vec_deinit(&target->modules);
	for (size_t i = 0; i < target->threads.nr; i++)
		thread_deinit(&target->threads.items[i]);
	thread_vec_deinit(&target->threads);
	held_word_vec_deinit(&target->held);
	target->held_incomplete = false;
}
