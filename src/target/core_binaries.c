/*
 * core_binaries: the files that a core's process had mapped: which there were, what the core
 * holds of their headers, and where they are on this machine.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "target/core_priv.h"

/* --- which there were --------------------------------------------------------------- */

static int by_start(const void *a, const void *b)
{
	const struct core_mapping *left = a, *right = b;
	return left->start < right->start ? -1 : left->start > right->start;
}

static struct error *sort_mappings(struct core_file *file)
{
	struct core_mapping *mappings = file->mappings.items;
	if (file->mappings.nr)
		qsort(mappings, file->mappings.nr, sizeof(mappings[0]), by_start);
	for (size_t i = 1; i < file->mappings.nr; i++)
		if (mappings[i].start < mappings[i - 1].end)
			return core_file_damaged(file, "the list of mapped files", 0,
						 "has entries that overlap");
	return NULL;
}

/* A mapping by its path, to find those of one file. */
struct named {
	const char *path;
	size_t mapping;
};

static int by_path(const void *a, const void *b)
{
	const struct named *left = a, *right = b;
	int order = strcmp(left->path, right->path);
	if (order)
		return order;
	return left->mapping < right->mapping ? -1 : left->mapping > right->mapping;
}

static struct error *name_binaries(struct core *core)
{
	const struct core_mapping_vec *mappings = &core->file.mappings;
	CLEANUP_FREE struct named *named = calloc(mappings->nr + 1, sizeof(*named));
	core->binary_of = calloc(mappings->nr + 1, sizeof(*core->binary_of));
	if (!named || !core->binary_of)
		return error_no_memory();
	for (size_t i = 0; i < mappings->nr; i++)
		named[i] = (struct named){ mappings->items[i].path, i };
	qsort(named, mappings->nr, sizeof(*named), by_path);
	for (size_t i = 0; i < mappings->nr; i++) {
		struct core_binary binary = { .path = named[i].path, .fd = -1 };
		bool is_new = i == 0 || strcmp(named[i - 1].path, binary.path) != 0;
		if (is_new && !core_binary_vec_push(&core->binaries, binary))
			return error_no_memory();
		core->binary_of[named[i].mapping] = core->binaries.nr - 1;
	}
	return NULL;
}

/* --- what the core holds of them ---------------------------------------------------- */

/* Reads at an offset of a mapped file, as far as the core has it. */
struct dumped_page {
	const struct core_file *file;
	const struct core_segment *segment;
};

static bool read_dumped(const struct elf_source *source, uint64_t offset, void *buffer,
			size_t size)
{
	const struct dumped_page *page = source->context;
	if (offset > page->segment->present || size > page->segment->present - offset)
		return false;
	struct error *error = core_file_read(
		page->file, "memory", page->segment->offset + offset, buffer, size);
	error_destroy(error);
	return !error;
}

static void learn_image(struct core *core, size_t mapping)
{
	const struct core_mapping *first = &core->file.mappings.items[mapping];
	struct core_binary *binary = &core->binaries.items[core->binary_of[mapping]];
	struct dumped_page page = {
		.file = &core->file,
		.segment = core_file_segment(&core->file, first->start),
	};
	if (first->offset != 0 || binary->is_elf || !page.segment ||
	    page.segment->start != first->start)
		return;
	const struct elf_source source = { .read = read_dumped, .context = &page };
	struct elf_image image;
	if (elf_image_read(&source, &image)) {
		binary->image = image;
		binary->is_elf = true;
	}
}

struct error *core_binaries_load(struct core *core)
{
	struct error *error = sort_mappings(&core->file);
	if (!error)
		error = name_binaries(core);
	for (size_t i = 0; !error && i < core->file.mappings.nr; i++)
		learn_image(core, i);
	return error;
}

/* --- where they are ----------------------------------------------------------------- */

void core_binary_seek(struct core *core, size_t index)
{
	static const char mark[] = " (deleted)";
	struct core_binary *binary = &core->binaries.items[index];
	if (binary->was_sought)
		return;
	binary->was_sought = true;
	size_t length = strlen(binary->path);
	if (length > strlen(mark) && !strcmp(binary->path + length - strlen(mark), mark))
		length -= strlen(mark);
	char *path = strndup(binary->path, length);
	const struct binary_places places = { core->base.sysroot, core->folder };
	binary->why_not =
		path ? binary_open(&places, path, binary->image.build_id, &binary->fd)
		     : error_no_memory();
	free(path);
}

void core_binaries_deinit(struct core *core)
{
	for (size_t i = 0; i < core->binaries.nr; i++) {
		if (core->binaries.items[i].fd >= 0)
			close(core->binaries.items[i].fd);
		error_destroy(core->binaries.items[i].why_not);
	}
	core_binary_vec_deinit(&core->binaries);
	free(core->binary_of);
}
