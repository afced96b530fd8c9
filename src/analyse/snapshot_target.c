/* snapshot_target: see snapshot_target.h; doc/FORMAT.md draws the chunks. */
#include "analyse/snapshot_target.h"

#include "analyse/snapshot_priv.h"

/* Writes what has been packed when it is large, or is the last. */
static struct error *flush(struct snap_writer *writer, enum snap_type type,
			   struct pack *payload, bool is_last)
{
	if (!payload->size || (payload->size < FLUSH_BYTES && !is_last))
		return NULL;
	return snap_writer_chunk(writer, type, CHUNK_VERSION, payload);
}

static void pack_region(struct pack *payload, const struct region *region)
{
	pack_number(payload, region->start);
	pack_number(payload, region->end - region->start);
	pack_number(payload, region->flags);
	pack_number(payload, region->offset);
	pack_number(payload, region->major);
	pack_number(payload, region->minor);
	pack_number(payload, region->inode);
	pack_text(payload, region->name);
}

static struct error *save_regions(const struct target *target, struct snap_writer *writer)
{
	const struct region_vec *regions = &target->regions;
	struct pack payload = { 0 };
	struct error *error = NULL;
	for (size_t i = 0; !error && i < regions->nr; i++) {
		pack_region(&payload, &regions->items[i]);
		error = flush(writer, SNAP_REGIONS, &payload, i + 1 == regions->nr);
	}
	pack_deinit(&payload);
	return error;
}

static void pack_module(struct pack *payload, struct symbols *symbols,
			const struct module *module)
{
	uint64_t bias = 0;
	struct elf_file *file = symbols_elf_file(symbols, module, &bias);
	pack_number(payload, module->start);
	pack_number(payload, module->end - module->start);
	pack_number(payload, module->deleted);
	pack_text(payload, module->path);
	pack_text(payload, file ? elf_file_build_id(file) : NULL);
}

static struct error *save_modules(const struct target *target, struct symbols *symbols,
				  struct snap_writer *writer)
{
	const struct module_vec *modules = &target->modules;
	struct pack payload = { 0 };
	struct error *error = NULL;
	for (size_t i = 0; !error && i < modules->nr; i++) {
		pack_module(&payload, symbols, &modules->items[i]);
		error = flush(writer, SNAP_MODULES, &payload, i + 1 == modules->nr);
	}
	pack_deinit(&payload);
	return error;
}

static struct error *save_threads(const struct target *target, struct snap_writer *writer)
{
	const struct thread_vec *threads = &target->threads;
	struct pack payload = { 0 };
	struct error *error = NULL;
	for (size_t i = 0; !error && i < threads->nr; i++) {
		const struct thread *thread = &threads->items[i];
		pack_number(&payload, (uint64_t)thread->tid);
		pack_number(&payload, thread->pc);
		pack_number(&payload, thread->sp);
		pack_number(&payload, thread->thread_pointer);
		error = flush(writer, SNAP_THREADS, &payload, i + 1 == threads->nr);
	}
	pack_deinit(&payload);
	return error;
}

struct error *snapshot_save_target(const struct target *target, struct symbols *symbols,
				   struct snap_writer *writer)
{
	struct error *error = save_regions(target, writer);
	if (!error)
		error = save_modules(target, symbols, writer);
	return error ? error : save_threads(target, writer);
}
