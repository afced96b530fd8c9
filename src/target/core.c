/*
 * core: an ELF core file as a target, written by the kernel, by gdb's gcore or by seep.
 *
 * What the file holds is read from it, file pages that the process never wrote from the
 * mapped file when it is at hand, and nothing is made up for the rest. All is loaded when
 * the core is opened, so reading needs no lock and freezing does nothing.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "target/core_priv.h"
#include "target/file_priv.h"
#include "target/registers.h"

#define PAGE_BYTES ((uint64_t)4096)

/* --- reading ------------------------------------------------------------------------ */

/* As much as one read gives; 0 at the end of the file. */
static struct error *read_some(const struct core *core, int fd, uint64_t offset,
			       void *buffer, size_t size, size_t *got)
{
	ssize_t nr = 0;
	do
		nr = pread(fd, buffer, size, (off_t)offset);
	while (nr < 0 && errno == EINTR);
	*got = nr > 0 ? (size_t)nr : 0;
	return nr >= 0 ? NULL
		       : error_create(ERROR_SYSTEM,
				      "cannot read %s: memory at offset %#" PRIx64 ": %s",
				      core->file.path, offset, strerror(errno));
}

/* A mapped file's last page is filled up with zeros. */
static struct error *read_binary(const struct core *core, const struct core_part *part,
				 uint64_t at, void *buffer, size_t size, size_t *got)
{
	*got = 0;
	if (part->binary == CORE_NO_BINARY || core->binaries.items[part->binary].fd < 0)
		return NULL;
	struct error *error = read_some(core, core->binaries.items[part->binary].fd,
					part->file_offset + at, buffer, size, got);
	uint64_t end = (at + *got + PAGE_BYTES - 1) & ~(PAGE_BYTES - 1);
	if (error || *got == 0 || *got == size)
		return error;
	size_t filled = end - at < size ? (size_t)(end - at) : size;
	memset((char *)buffer + *got, 0, filled - *got);
	*got = filled;
	return NULL;
}

/* So many of `size` bytes at an address are before what our own core says it left out. */
static size_t before_absence(const struct core *core, uint64_t address, size_t size)
{
	size_t index = core_file_absence(&core->file, address);
	if (index == core->file.absences.nr)
		return size;
	uint64_t start = core->file.absences.items[index].start;
	if (start <= address)
		return 0;
	return start - address < size ? (size_t)(start - address) : size;
}

/* Some bytes at `at` in the region; *got is 0 where there are none. */
static struct error *read_part(const struct core *core, const struct region *region,
			       uint64_t at, void *buffer, size_t size, size_t *got)
{
	const struct core_part *part =
		&core->parts.items[region - core->base.regions.items];
	*got = 0;
	if (at < part->present) {
		uint64_t left = part->present - at;
		return read_some(core, core->file.fd, part->offset + at, buffer,
				 size < left ? size : (size_t)left, got);
	}
	if (at < part->dumped || part->rest == CORE_REST_MISSING)
		return NULL;
	size = before_absence(core, region->start + at, size);
	if (part->rest == CORE_REST_FILE)
		return read_binary(core, part, at, buffer, size, got);
	memset(buffer, 0, size);
	*got = size;
	return NULL;
}

static struct error *core_read(struct target *target, uint64_t address, void *buffer,
			       size_t size, size_t *nr_read)
{
	const struct core *core = (const struct core *)target;
	*nr_read = 0;
	while (*nr_read < size) {
		const struct region *region = target_region(target, address + *nr_read);
		if (!region)
			break;
		uint64_t at = address + *nr_read - region->start;
		uint64_t left = region->end - region->start - at;
		size_t step = size - *nr_read < left ? size - *nr_read : (size_t)left;
		size_t got = 0;
		struct error *error = read_part(core, region, at,
						(char *)buffer + *nr_read, step, &got);
		*nr_read += got;
		if (error || got == 0)
			return error;
	}
	return NULL;
}

/* --- extents ------------------------------------------------------------------------ */

/* Joins an extent with the last one when they touch. */
static struct error *add_extent(struct extent_vec *extents, uint64_t start, uint64_t end,
				bool missing)
{
	struct extent extent = { .start = start & ~(PAGE_BYTES - 1),
				 .end = (end + PAGE_BYTES - 1) & ~(PAGE_BYTES - 1),
				 .swapped = missing };
	struct extent *last = extents->nr ? &extents->items[extents->nr - 1] : NULL;
	if (last && last->end >= extent.start && last->swapped == missing) {
		last->end = extent.end > last->end ? extent.end : last->end;
		return NULL;
	}
	if (last && last->end > extent.start)
		extent.start = last->end;
	if (extent.start >= extent.end)
		return NULL;
	return extent_vec_push(extents, extent) ? NULL : error_no_memory();
}

/* Where the file has data between two offsets: holes stand for pages of zeros. False when
   there is none; all of it where the file system does not tell. */
static bool next_data(int fd, uint64_t at, uint64_t end, uint64_t *data, uint64_t *hole)
{
	off_t found = lseek(fd, (off_t)at, SEEK_DATA);
	if (found < 0 && errno == ENXIO)
		return false;
	*data = found < 0 ? at : (uint64_t)found;
	if (*data >= end)
		return false;
	found = found < 0 ? -1 : lseek(fd, (off_t)*data, SEEK_HOLE);
	*hole = found < 0 || (uint64_t)found > end ? end : (uint64_t)found;
	return *hole > *data;
}

/* Those of the bytes [from, to) of a region that the file has. */
static struct error *add_present(const struct core *core, const struct region *region,
				 const struct core_part *part, uint64_t from, uint64_t to,
				 struct extent_vec *extents)
{
	struct error *error = NULL;
	uint64_t data = 0, hole = 0;
	for (uint64_t at = part->offset + from;
	     !error && next_data(core->file.fd, at, part->offset + to, &data, &hole);
	     at = hole)
		error = add_extent(extents, region->start + (data - part->offset),
				   region->start + (hole - part->offset), false);
	return error;
}

static uint64_t clip(uint64_t value, uint64_t low, uint64_t high)
{
	return value < low ? low : value > high ? high : value;
}

/* Of memory that was never written, what our own core says it left out. */
static struct error *add_absences(const struct core *core, uint64_t from, uint64_t to,
				  struct extent_vec *extents)
{
	struct error *error = NULL;
	for (size_t i = core_file_absence(&core->file, from);
	     !error && i < core->file.absences.nr &&
	     core->file.absences.items[i].start < to;
	     i++) {
		uint64_t start = clip(core->file.absences.items[i].start, from, to);
		uint64_t end = clip(core->file.absences.items[i].end, from, to);
		if (start < end)
			error = add_extent(extents, start, end, true);
	}
	return error;
}

static struct error *core_extents(struct target *target, const struct region *region,
				  uint64_t start, uint64_t end,
				  struct extent_vec *extents)
{
	const struct core *core = (const struct core *)target;
	const struct core_part *part = &core->parts.items[region - target->regions.items];
	uint64_t from = start - region->start, to = end - region->start;
	uint64_t present = clip(part->present, from, to);
	uint64_t dumped = clip(part->dumped, from, to);
	struct error *error = add_present(core, region, part, from, present, extents);
	if (!error && present < dumped)
		error = add_extent(extents, region->start + present,
				   region->start + dumped, true);
	if (!error && dumped < to && part->rest == CORE_REST_MISSING)
		error = add_extent(extents, region->start + dumped, end, true);
	if (!error && core->file.absences.nr)
		error = add_absences(core, region->start + dumped, end, extents);
	return error;
}

/* --- the target --------------------------------------------------------------------- */

static struct error *core_freeze(struct target *target)
{
	(void)target;
	return NULL;
}

static uint64_t core_thaw(struct target *target)
{
	(void)target;
	return 0;
}

static struct error *copy_of(const struct error *error)
{
	struct error *copy = error_create(error->code, "%s", error->sentence);
	return error->remedy ? error_remedy(copy, "%s", error->remedy) : copy;
}

static struct error *core_open_module(struct target *target, const struct module *module,
				      int *fd)
{
	struct core *core = (struct core *)target;
	size_t index = core->parts.items[module->first_region].binary;
	core_binary_seek(core, index);
	const struct core_binary *binary = &core->binaries.items[index];
	if (binary->fd < 0)
		return copy_of(binary->why_not);
	*fd = fcntl(binary->fd, F_DUPFD_CLOEXEC, 0);
	return *fd >= 0 ? NULL
			: error_create(ERROR_SYSTEM, "%s: %s", module->path,
				       strerror(errno));
}

static void core_destroy(struct target *target)
{
	struct core *core = (struct core *)target;
	core_part_vec_deinit(&core->parts);
	core_binaries_deinit(core);
	core_file_deinit(&core->file);
	target_forget(target);
	sentences_deinit(&target->warnings);
	sentences_deinit(&target->notes);
	free(target->name);
	free(target->path);
	free(target->sysroot);
	free(core->folder);
	free(core);
}

static const struct target_ops core_ops = {
	.name = "core",
	.unread = "not in the core",
	.freeze = core_freeze,
	.thaw = core_thaw,
	.read = core_read,
	.extents = core_extents,
	.open_module = core_open_module,
	.destroy = core_destroy,
};

/* --- opening ------------------------------------------------------------------------ */

static struct error *load_threads(struct core *core)
{
	const struct core_thread_vec *threads = &core->file.threads;
	if (threads->nr == 0)
		return error_remedy(error_create(ERROR_FORMAT,
						 "%s holds no threads: it has no notes "
						 "with their registers",
						 core->file.path),
				    "take another core, for example with: seep core PID "
				    "-o FILE");
	struct error *error = NULL;
	for (size_t i = 0; !error && i < threads->nr; i++) {
		const struct core_thread *from = &threads->items[i];
		struct thread thread;
		error = registers_fill(&from->general, from->vectors, from->vectors_size,
				       &thread);
		if (error)
			break;
		thread.tid = from->tid;
		if (!thread_vec_push(&core->base.threads, thread)) {
			thread_deinit(&thread);
			error = error_no_memory();
		}
	}
	return error;
}

/* Every program file and library is looked for now, so that reading changes nothing. */
static struct error *seek_binaries(struct core *core)
{
	struct error *error = NULL;
	for (size_t i = 0; !error && i < core->base.modules.nr; i++) {
		size_t first = core->base.modules.items[i].first_region;
		size_t index = core->parts.items[first].binary;
		struct core_binary *binary = &core->binaries.items[index];
		core_binary_seek(core, index);
		if (binary->why_not && !binary->was_told)
			error = sentences_add(
				&core->base.warnings,
				"%s; its names are not known, nor whether it "
				"brings a malloc of its own (see --sysroot)",
				binary->why_not->sentence);
		binary->was_told = true;
	}
	return error;
}

static struct error *warn_of_cut(struct core *core)
{
	if (!core->file.cut_bytes)
		return NULL;
	return sentences_add(&core->base.warnings,
			     "%s is cut off at %" PRIu64 " bytes: %" PRIu64
			     " bytes of memory are missing",
			     core->file.path, core->file.size, core->file.cut_bytes);
}

static struct error *name_target(struct core *core, const char *path,
				 const struct target_file_options *options)
{
	const char *slash = strrchr(path, '/');
	size_t length = slash ? (size_t)(slash - path) : 0;
	core->folder = slash ? strndup(path, length ? length : 1) : strdup(".");
	core->base.path = strdup(path);
	core->base.sysroot = options->sysroot ? strdup(options->sysroot) : NULL;
	core->base.pid = core->file.pid;
	core->base.signal = core->file.signal;
	const char *comm = core->file.comm[0] ? core->file.comm : "a process";
	if (asprintf(&core->base.name, "%s (%d)", comm, (int)core->file.pid) < 0)
		core->base.name = NULL;
	bool good = core->folder && core->base.path && core->base.name &&
		    (core->base.sysroot || !options->sysroot);
	return good ? NULL : error_no_memory();
}

struct error *core_open(int fd, const char *path,
			const struct target_file_options *options, struct target **target)
{
	struct core *core = calloc(1, sizeof(*core));
	if (!core) {
		close(fd);
		return error_no_memory();
	}
	core->base = (struct target){ .ops = &core_ops, .held_incomplete = true };
	struct error *error = core_file_open(fd, path, &core->file);
	if (!error)
		error = name_target(core, path, options);
	if (!error)
		error = core_binaries_load(core);
	if (!error)
		error = core_regions_load(core);
	if (!error)
		error = load_threads(core);
	if (!error)
		error = warn_of_cut(core);
	if (!error)
		error = seek_binaries(core);
	if (error) {
		core_destroy(&core->base);
		return error;
	}
	*target = &core->base;
	return NULL;
}
