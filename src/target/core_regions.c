/*
 * core_regions: the regions of a core's process, and what the core holds of each.
 *
 * The kernel writes a segment for every mapping, with or without contents; gdb leaves out
 * mappings that have none. The list of mapped files (NT_FILE) names the segments and fills
 * the gaps. Names that the kernel gives to memory without a file are not in a core; those
 * that matter are told by addresses in the auxiliary vector.
 *
 * Bytes without contents in the core are one of three things (enum core_rest). Of a private
 * mapping of a program or library they are the file's, since the kernel and gdb leave out
 * only what was not written. Writable memory without a file is either untouched or was kept
 * out (MADV_DONTDUMP, coredump_filter); a core does not say which, so it may hold anything,
 * except behind a file's own data, where it is an untouched .bss. Other writable mappings of
 * files may be shared, and then hold anything too; except those of devices.
 */
#include <string.h>

#include "target/core_priv.h"

/* A region in the making. */
struct core_region {
	struct region region;
	struct core_part part;
	bool has_segment;
};
DEFINE_VEC(core_region_vec, struct core_region);

#define VSYSCALL_START 0xffffffffff600000u

/* --- from segments and mapped files ------------------------------------------------- */

/* The index of the first mapping that ends past an address. */
static size_t mapping_at(const struct core_file *file, uint64_t address)
{
	size_t low = 0, high = file->mappings.nr;
	while (low < high) {
		size_t middle = (low + high) / 2;
		if (file->mappings.items[middle].end <= address)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static void set_mapping(const struct core *core, size_t index, struct core_region *made)
{
	const struct core_mapping *mapping = &core->file.mappings.items[index];
	made->part.binary = core->binary_of[index];
	made->part.file_offset = mapping->offset + (made->region.start - mapping->start);
	made->region.offset = made->part.file_offset;
	made->region.inode = made->part.binary + 1;
	made->region.name = strdup(mapping->path);
}

static struct error *push(struct core_region_vec *all, struct core_region made)
{
	if (!made.region.name)
		made.region.name = strdup("");
	if (made.region.name && core_region_vec_push(all, made))
		return NULL;
	free(made.region.name);
	return error_no_memory();
}

static struct error *add_segments(struct core *core, struct core_region_vec *all)
{
	const struct core_file *file = &core->file;
	struct error *error = NULL;
	for (size_t i = 0; !error && i < file->segments.nr; i++) {
		const struct core_segment *segment = &file->segments.items[i];
		struct core_region made = {
			.region = { .start = segment->start,
				    .end = segment->end,
				    .flags = segment->flags },
			.part = { .offset = segment->offset,
				  .dumped = segment->dumped,
				  .present = segment->present,
				  .binary = CORE_NO_BINARY },
			.has_segment = true,
		};
		size_t index = mapping_at(file, segment->start);
		if (index < file->mappings.nr &&
		    file->mappings.items[index].start <= segment->start &&
		    file->mappings.items[index].end >= segment->end)
			set_mapping(core, index, &made);
		error = push(all, made);
	}
	return error;
}

/* What gdb left out was read-only; the file's own headers say whether it is code. */
static unsigned guess_flags(struct core *core, const struct core_part *part)
{
	struct core_binary *binary = &core->binaries.items[part->binary];
	struct elf_image image = binary->image;
	bool is_known = binary->is_elf;
	if (!is_known) {
		core_binary_seek(core, part->binary);
		const struct elf_source source = { .read = elf_source_read_file,
						   .fd = binary->fd };
		is_known = binary->fd >= 0 && elf_image_read(&source, &image);
	}
	unsigned flags = is_known ? elf_image_flags(&image, part->file_offset) : 0;
	return flags ? flags & ~(unsigned)REGION_WRITE : (unsigned)REGION_READ;
}

static bool has_segment(const struct core_file *file, uint64_t start, uint64_t end)
{
	for (size_t low = 0, high = file->segments.nr; low < high;) {
		size_t middle = (low + high) / 2;
		const struct core_segment *segment = &file->segments.items[middle];
		if (segment->end <= start)
			low = middle + 1;
		else if (segment->start >= end)
			high = middle;
		else
			return true;
	}
	return false;
}

static struct error *add_unwritten(struct core *core, struct core_region_vec *all)
{
	const struct core_file *file = &core->file;
	struct error *error = NULL;
	for (size_t i = 0; !error && i < file->mappings.nr; i++) {
		const struct core_mapping *mapping = &file->mappings.items[i];
		if (has_segment(file, mapping->start, mapping->end))
			continue;
		struct core_region made = {
			.region = { .start = mapping->start, .end = mapping->end },
		};
		set_mapping(core, i, &made);
		made.region.flags = guess_flags(core, &made.part);
		error = push(all, made);
	}
	return error;
}

static int by_start(const void *a, const void *b)
{
	const struct core_region *left = a, *right = b;
	return left->region.start < right->region.start ? -1 : 1;
}

/* --- what has no contents ----------------------------------------------------------- */

static bool begins_with(const char *text, const char *prefix)
{
	return !strncmp(text, prefix, strlen(prefix));
}

static bool is_device(const char *path)
{
	return begins_with(path, "/dev/") && !begins_with(path, "/dev/shm/") &&
	       !begins_with(path, "/dev/zero");
}

static bool is_program_file(const struct core *core, const struct core_region *one)
{
	return one->part.binary != CORE_NO_BINARY &&
	       core->binaries.items[one->part.binary].is_elf;
}

/* Right behind the data of a program or library, itself without a file. */
static bool is_bss(const struct core *core, const struct core_region *all, size_t i)
{
	return i > 0 && all[i - 1].region.end == all[i].region.start &&
	       is_program_file(core, &all[i - 1]);
}

static enum core_rest rest_of(const struct core *core, const struct core_region *all,
			      size_t i)
{
	const struct core_region *one = &all[i];
	bool has_file = one->part.binary != CORE_NO_BINARY;
	if (!(one->region.flags & (REGION_READ | REGION_WRITE)) ||
	    begins_with(one->region.name, "[v"))
		return CORE_REST_FILE;
	if (core->file.has_absences)
		return has_file ? CORE_REST_FILE : CORE_REST_ZERO;
	if (!has_file)
		return is_bss(core, all, i) ? CORE_REST_ZERO : CORE_REST_MISSING;
	if (!(one->region.flags & REGION_WRITE) || is_program_file(core, one) ||
	    is_device(one->region.name))
		return CORE_REST_FILE;
	return CORE_REST_MISSING;
}

/* --- names -------------------------------------------------------------------------- */

static const char *special_name(const struct core_file *file,
				const struct core_region *all, size_t i, size_t nr)
{
	const struct region *region = &all[i].region;
	if (region->name[0])
		return NULL;
	if (file->stack_address >= region->start && file->stack_address < region->end)
		return "[stack]";
	if (region->start == VSYSCALL_START)
		return "[vsyscall]";
	if (file->vdso_address && region->start == file->vdso_address)
		return "[vdso]";
	/* The kernel's pages of time lie right below the vdso and are in no core. */
	bool is_below = i + 1 < nr && all[i + 1].region.start == region->end &&
			begins_with(all[i + 1].region.name, "[v");
	bool is_empty = !all[i].part.dumped && !(region->flags & REGION_WRITE);
	return is_below && is_empty ? "[vvar]" : NULL;
}

/* From the top down, since what lies below the vdso is known by it. */
static struct error *name_regions(const struct core *core, struct core_region_vec *all)
{
	for (size_t i = all->nr; i-- > 0;) {
		const char *name = special_name(&core->file, all->items, i, all->nr);
		if (!name)
			continue;
		char *copy = strdup(name);
		if (!copy)
			return error_no_memory();
		free(all->items[i].region.name);
		all->items[i].region.name = copy;
	}
	return NULL;
}

/* --- all together ------------------------------------------------------------------- */

/* The lists of the target take over what was made. */
static struct error *take_over(struct core *core, struct core_region_vec *all)
{
	for (size_t i = 0; i < all->nr; i++) {
		all->items[i].part.rest = rest_of(core, all->items, i);
		if (!core_part_vec_push(&core->parts, all->items[i].part) ||
		    !region_vec_push(&core->base.regions, all->items[i].region))
			return error_no_memory();
		all->items[i].region.name = NULL;
	}
	return NULL;
}

struct error *core_regions_load(struct core *core)
{
	struct core_region_vec all = { 0 };
	struct error *error = add_segments(core, &all);
	if (!error)
		error = add_unwritten(core, &all);
	if (!error && all.nr)
		qsort(all.items, all.nr, sizeof(all.items[0]), by_start);
	if (!error)
		error = name_regions(core, &all);
	if (!error)
		error = take_over(core, &all);
	for (size_t i = 0; i < all.nr; i++)
		free(all.items[i].region.name);
	core_region_vec_deinit(&all);
	return error ? error : target_find_modules(&core->base);
}
