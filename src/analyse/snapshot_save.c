/* snapshot_save: see snapshot_save.h. */
#include "analyse/snapshot_save.h"

#include <time.h>
#include <unistd.h>

#include "analyse/snapshot_priv.h"
#include "analyse/snapshot_target.h"

static uint64_t now_ns(void)
{
	struct timespec now;
	clock_gettime(CLOCK_REALTIME, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static struct snap_meta describe(const struct inspection *inspection,
				 const struct contents *contents)
{
	const struct look *look = &inspection->look;
	const struct heap_totals *totals = &look->totals;
	return (struct snap_meta){
		.created_ns = now_ns(),
		.flags = (look->held_incomplete ? SNAP_META_HELD_INCOMPLETE : 0) |
			 (look->inside ? SNAP_META_INSIDE : 0) |
			 (look->is_of_core ? SNAP_META_OF_CORE : 0) |
			 (contents ? SNAP_META_CONTENTS : 0),
		.pid = (uint64_t)look->subject.pid,
		.pause_ns = inspection->pause_ns,
		.looks = inspection->nr_looks,
		.nr_threads = look->nr_threads,
		.nr_blocks = look->graph.nr_blocks,
		.nr_edges = look->graph.nr_edges,
		.nr_roots = look->graph.roots.nr,
		.mapped_bytes = totals->mapped_bytes,
		.parsed_bytes = totals->parsed_bytes,
		.used_blocks = totals->used_blocks,
		.used_bytes = totals->used_bytes,
		.free_chunks = totals->free_chunks,
		.free_bytes = totals->free_bytes,
		.own_blocks = totals->own_blocks,
		.own_bytes = totals->own_bytes,
		.heap_unread_bytes = totals->unread_bytes,
		.root_unread_bytes = look->unread_bytes,
		.target = look->subject.name,
		.allocator = look->subject.allocator,
		.unread_reason = look->unread_reason,
		.damage = look->damage,
		.warnings = look->warnings,
		.notes = look->notes,
	};
}

static struct error *save_meta(const struct inspection *inspection,
			       const struct contents *contents,
			       struct snap_writer *writer)
{
	struct snap_meta meta = describe(inspection, contents);
	struct target_identity identity = inspection->look.subject.identity;
	char host[256] = "", version[] = SEEP_VERSION;
	gethostname(host, sizeof(host) - 1);
	meta.started = identity.started;
	meta.boot_id = identity.boot_id[0] ? identity.boot_id : NULL;
	meta.host = host[0] ? host : NULL;
	meta.seep_version = version;
	struct pack payload = { 0 };
	snap_meta_pack(&meta, &payload);
	struct error *error =
		snap_writer_chunk(writer, SNAP_META, CHUNK_VERSION, &payload);
	pack_deinit(&payload);
	return error;
}

static struct error *save_end(struct snap_writer *writer)
{
	struct pack nothing = { 0 };
	return snap_writer_chunk(writer, SNAP_END, CHUNK_VERSION, &nothing);
}

typedef struct error *saver(const struct look *look, struct snap_writer *writer);

/* In the order of the file: before the names of places, and after them. */
static saver *const savers[] = {
	snapshot_save_counts,
	snapshot_save_types,
	snapshot_save_fields,
};
static saver *const later_savers[] = {
	snapshot_save_spare,  snapshot_save_arenas,      snapshot_save_sites,
	snapshot_save_frames, snapshot_save_roots,       snapshot_save_doubted,
	snapshot_save_blocks, snapshot_save_edge_places, snapshot_save_hashes,
};

static struct error *save(const struct look *look, saver *const *parts, size_t nr,
			  struct snap_writer *writer)
{
	struct error *error = NULL;
	for (size_t i = 0; !error && i < nr; i++)
		error = parts[i](look, writer);
	return error;
}

struct error *snapshot_save(struct inspection *inspection,
			    const struct contents *contents, struct snap_writer *writer)
{
	struct look *look = &inspection->look;
	const struct source *source = inspection->source;
	struct error *error = save_meta(inspection, contents, writer);
	if (!error && source->target)
		error = snapshot_save_target(source->target, source->symbols, writer);
	if (!error)
		error = save(look, savers, ARRAY_SIZE(savers), writer);
	if (!error)
		error = snapshot_save_places(look, source->places, writer);
	if (!error)
		error = save(look, later_savers, ARRAY_SIZE(later_savers), writer);
	if (!error)
		error = snapshot_save_arrays(look, writer);
	if (!error && contents)
		error = contents_save(contents, writer);
	return error ? error : save_end(writer);
}
