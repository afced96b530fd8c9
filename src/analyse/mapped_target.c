/* mapped_target: see mapped_target.h; doc/FORMAT.md draws the chunks. */
#include "analyse/mapped_target.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "snap/meta.h"
#include "snap/reader.h"
#include "target/maps.h"

static struct error *stay(struct target *target)
{
	(void)target;
	return NULL;
}

static uint64_t go_on(struct target *target)
{
	(void)target;
	return 0;
}

static struct error *read_nothing(struct target *target, uint64_t address, void *buffer,
				  size_t size, size_t *nr_read)
{
	(void)target, (void)address, (void)buffer, (void)size;
	*nr_read = 0;
	return NULL;
}

static struct error *know_no_extents(struct target *target, const struct region *region,
				     uint64_t start, uint64_t end,
				     struct extent_vec *extents)
{
	(void)target, (void)region, (void)start, (void)end, (void)extents;
	return NULL;
}

static struct error *open_nothing(struct target *target, const struct module *module,
				  int *fd)
{
	(void)fd;
	return error_create(ERROR_READ, "%s: only the mappings of %s are known",
			    module->path, target->name);
}

static void destroy(struct target *target)
{
	target_forget(target);
	free(target->name);
	free(target->path);
	free(target);
}

static const struct target_ops mapped_ops = {
	.name = "mapped",
	.unread = "not known",
	.freeze = stay,
	.thaw = go_on,
	.read = read_nothing,
	.extents = know_no_extents,
	.open_module = open_nothing,
	.destroy = destroy,
};

struct error *mapped_target_create(pid_t pid, const char *name,
				   struct region_vec *regions, struct target **result)
{
	struct target *target = calloc(1, sizeof(*target));
	if (!target)
		return error_no_memory();
	*target = (struct target){ .ops = &mapped_ops, .pid = pid };
	target->name = strdup(name);
	target->regions = *regions;
	*regions = (struct region_vec){ 0 };
	struct error *error = target->name ? target_find_modules(target)
					   : error_no_memory();
	if (error) {
		destroy(target);
		return error;
	}
	*result = target;
	return NULL;
}

/* --- from a snapshot ---------------------------------------------------------------- */

struct loading {
	struct snap_reader *reader;
	struct snap_meta meta;
	struct region_vec regions;
	struct thread_vec threads;
};

static struct error *load_meta(struct loading *loading, const struct snap_chunk *chunk,
			       struct unpack *payload)
{
	if (!loading->meta.target && snap_meta_unpack(payload, &loading->meta))
		return NULL;
	return snap_reader_nonsense(loading->reader, chunk,
				    "says nothing that makes sense");
}

static bool unpack_region(struct unpack *payload, struct region *region)
{
	region->start = unpack_number(payload);
	region->end = region->start + unpack_number(payload);
	region->flags = (unsigned)unpack_number(payload);
	region->offset = unpack_number(payload);
	region->major = (uint32_t)unpack_number(payload);
	region->minor = (uint32_t)unpack_number(payload);
	region->inode = unpack_number(payload);
	region->name = unpack_text(payload);
	return !payload->bad && region->name && region->start < region->end;
}

static struct error *load_regions(struct loading *loading, const struct snap_chunk *chunk,
				  struct unpack *payload)
{
	struct region_vec *regions = &loading->regions;
	while (unpack_left(payload)) {
		uint64_t end = regions->nr ? regions->items[regions->nr - 1].end : 0;
		struct region region = { 0 };
		bool good = unpack_region(payload, &region) && region.start >= end;
		if (good && region_vec_push(regions, region))
			continue;
		free(region.name);
		return good ? error_no_memory()
			    : snap_reader_nonsense(loading->reader, chunk,
						   "holds a mapping that makes no sense");
	}
	return NULL;
}

static struct error *load_threads(struct loading *loading, const struct snap_chunk *chunk,
				  struct unpack *payload)
{
	while (unpack_left(payload)) {
		struct thread thread = { .tid = (pid_t)unpack_number(payload) };
		thread.pc = unpack_number(payload);
		thread.sp = unpack_number(payload);
		thread.thread_pointer = unpack_number(payload);
		if (payload->bad)
			return snap_reader_nonsense(loading->reader, chunk,
						    "holds a thread that is none");
		if (!thread_vec_push(&loading->threads, thread))
			return error_no_memory();
	}
	return NULL;
}

static const struct chunk_loader {
	uint32_t type; /* enum snap_type */
	struct error *(*load)(struct loading *loading, const struct snap_chunk *chunk,
			      struct unpack *payload);
} chunk_loaders[] = {
	{ SNAP_META, load_meta },
	{ SNAP_REGIONS, load_regions },
	{ SNAP_THREADS, load_threads },
};

static struct error *load_chunk(struct loading *loading, const struct snap_chunk *chunk)
{
	for (size_t i = 0; i < ARRAY_SIZE(chunk_loaders); i++) {
		struct unpack payload;
		if (chunk_loaders[i].type != chunk->header.type)
			continue;
		struct error *error = snap_reader_load(loading->reader, chunk, &payload);
		return error ? error : chunk_loaders[i].load(loading, chunk, &payload);
	}
	return NULL;
}

static struct error *load_chunks(struct loading *loading)
{
	bool more = true;
	struct error *error = NULL;
	while (!error && more) {
		struct snap_chunk chunk;
		error = snap_reader_next(loading->reader, &chunk, &more);
		if (!error && more)
			error = load_chunk(loading, &chunk);
	}
	return error;
}

struct error *mapped_target_of_snapshot(const char *path, struct target **target)
{
	struct loading loading = { 0 };
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return error_create(ERROR_READ, "cannot open %s: %s", path,
				    strerror(errno));
	struct error *error =
		snap_reader_open(fd, path, SNAP_KIND_SNAPSHOT, &loading.reader);
	if (!error)
		error = load_chunks(&loading);
	bool has_contents = loading.meta.flags & SNAP_META_CONTENTS;
	if (!error && !has_contents)
		error = mapped_target_create((pid_t)loading.meta.pid,
					     loading.meta.target ? loading.meta.target
								 : "a process",
					     &loading.regions, target);
	if (!error && !has_contents) {
		(*target)->threads = loading.threads;
		loading.threads = (struct thread_vec){ 0 };
	}
	snap_reader_close(loading.reader);
	snap_meta_deinit(&loading.meta);
	regions_deinit(&loading.regions);
	thread_vec_deinit(&loading.threads);
	return error;
}
