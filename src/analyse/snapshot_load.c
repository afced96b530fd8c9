/*
 * snapshot_load: see snapshot_load.h. The file is gone through twice: first for where the
 * blocks are, so that the graph knows its space; then for all the rest.
 */
#include "analyse/snapshot_load.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "analyse/snapshot_priv.h"
#include "base/cleanup.h"
#include "graph/reach.h"

bool snapshot_is_file(const char *path)
{
	/* Without O_NONBLOCK a pipe without a writer would be waited for. */
	CLEANUP_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	char magic[SNAP_MAGIC_SIZE];
	struct stat status;
	if (fd < 0 || fstat(fd, &status) || !S_ISREG(status.st_mode))
		return false;
	ssize_t got = pread(fd, magic, sizeof(magic), 0);
	return got > 0 && snap_is_magic(magic, (size_t)got);
}

static struct error *load_meta(struct loader *loader, struct unpack *payload)
{
	if (loader->has_meta)
		return loader_nonsense(loader, "comes twice");
	loader->has_meta = true;
	if (!snap_meta_unpack(payload, &loader->meta))
		return loader_nonsense(loader, "makes no sense");
	return NULL;
}

/* What is done with a chunk, in which of the two rounds; other types are skipped. */
enum round { ROUND_SPACE, ROUND_GRAPH };

static const struct chunk_handler {
	enum snap_type type;
	enum round round;
	struct error *(*load)(struct loader *loader, struct unpack *payload);
	unsigned flag; /* it is skipped without this one (enum look_flags) */
} handlers[] = {
	{ SNAP_META, ROUND_SPACE, load_meta, 0 },
	{ SNAP_TYPES, ROUND_SPACE, snapshot_load_types, 0 },
	{ SNAP_FIELDS, ROUND_SPACE, snapshot_load_fields, 0 },
	{ SNAP_ARRAYS, ROUND_SPACE, snapshot_load_arrays, 0 },
	{ SNAP_BLOCKS, ROUND_SPACE, snapshot_announce_blocks, 0 },
	{ SNAP_PLACES, ROUND_GRAPH, snapshot_load_places, 0 },
	{ SNAP_SPARE, ROUND_GRAPH, snapshot_load_spare, LOOK_HASH },
	{ SNAP_ARENAS, ROUND_GRAPH, snapshot_load_arenas, 0 },
	{ SNAP_SITES, ROUND_GRAPH, snapshot_load_sites, 0 },
	{ SNAP_BLOCK_SITES, ROUND_GRAPH, snapshot_load_block_sites, 0 },
	{ SNAP_FRAMES, ROUND_GRAPH, snapshot_load_frames, LOOK_PLACES },
	{ SNAP_ROOTS, ROUND_GRAPH, snapshot_load_roots, 0 },
	{ SNAP_STALE, ROUND_GRAPH, snapshot_load_stale, 0 },
	{ SNAP_DOUBTED, ROUND_GRAPH, snapshot_load_doubted, 0 },
	{ SNAP_BLOCKS, ROUND_GRAPH, snapshot_load_blocks, 0 },
	{ SNAP_EDGES, ROUND_GRAPH, snapshot_load_edges, 0 },
	{ SNAP_REGIONS, ROUND_GRAPH, snapshot_load_regions, LOOK_PLACES },
	{ SNAP_COUNTS, ROUND_GRAPH, snapshot_load_counts, LOOK_PLACES },
	{ SNAP_HASHES, ROUND_GRAPH, snapshot_load_hashes, LOOK_HASH },
	{ SNAP_EDGE_PLACES, ROUND_GRAPH, snapshot_load_edge_places, LOOK_EDGE_PLACES },
	{ SNAP_FAR_PLACES, ROUND_GRAPH, snapshot_load_far_places, LOOK_EDGE_PLACES },
	{ SNAP_EVERY_ROOT, ROUND_GRAPH, snapshot_load_every_root, LOOK_PLACES },
};

static struct error *check_version(const struct loader *loader)
{
	const struct snap_chunk_header *header = &loader->chunk.header;
	if (header->version == CHUNK_VERSION)
		return NULL;
	return error_remedy(error_create(ERROR_FORMAT,
					 "%s: the chunk \"%s\" at offset %" PRIu64
					 " is of version %u; this seep reads version %u",
					 snap_reader_name(loader->reader),
					 snap_type_name(header->type),
					 loader->chunk.offset, header->version,
					 CHUNK_VERSION),
			    "read it with the seep that wrote it, or a newer one");
}

static struct error *load_chunk(struct loader *loader,
				const struct chunk_handler *handler)
{
	struct unpack payload;
	struct error *error = check_version(loader);
	if (!error && !loader->has_meta && handler->type != SNAP_META)
		error = loader_nonsense(loader, "comes before the chunk \"meta\"");
	if (!error)
		error = snap_reader_load(loader->reader, &loader->chunk, &payload);
	return error ? error : handler->load(loader, &payload);
}

/* Arrays that are there stand for blocks and edges. */
static bool is_skipped(const struct loader *loader, enum snap_type type)
{
	return loader->arrays.are_there && (type == SNAP_BLOCKS || type == SNAP_EDGES);
}

static struct error *go_through(struct loader *loader, enum round round)
{
	snap_reader_rewind(loader->reader);
	for (;;) {
		bool more = false;
		struct error *error =
			snap_reader_next(loader->reader, &loader->chunk, &more);
		for (size_t i = 0; !error && more && i < ARRAY_SIZE(handlers); i++)
			if (handlers[i].type == loader->chunk.header.type &&
			    handlers[i].round == round &&
			    !is_skipped(loader, handlers[i].type) &&
			    (loader->flags & handlers[i].flag) == handlers[i].flag)
				error = load_chunk(loader, &handlers[i]);
		if (error || !more)
			return error;
	}
}

/* --- the end ------------------------------------------------------------------------ */

static struct error *cut_short(const struct loader *loader)
{
	return error_remedy(
		error_create(ERROR_FORMAT,
			     "%s was cut short after %" PRIu64
			     " bytes, before its first block: no verdict is possible",
			     snap_reader_name(loader->reader),
			     snap_reader_size(loader->reader)),
		"copy the file again, or take a new snapshot");
}

static uint64_t less(uint64_t whole, uint64_t part)
{
	return whole > part ? whole - part : 0;
}

/* What a cut file lacks is not covered. */
static void count_missing(const struct loader *loader, struct look *look)
{
	const struct snap_meta *meta = &loader->meta;
	look->missing_blocks = less(meta->nr_blocks, loader->nr_whole);
	look->missing_bytes = look->missing_blocks ? 1 : 0;
	if (less(meta->used_bytes, loader->whole_bytes) && look->missing_blocks)
		look->missing_bytes = meta->used_bytes - loader->whole_bytes;
	look->totals.parsed_bytes = less(look->totals.parsed_bytes, look->missing_bytes);
	if (look->missing_blocks) {
		look->totals.used_blocks = loader->nr_whole;
		look->totals.used_bytes = loader->whole_bytes;
	}
}

static void copy_totals(const struct snap_meta *meta, struct look *look)
{
	look->created_ns = meta->created_ns;
	look->pause_ns = meta->pause_ns;
	look->nr_looks = meta->looks;
	look->nr_threads = meta->nr_threads;
	look->unread_bytes = meta->root_unread_bytes;
	look->inside = meta->flags & SNAP_META_INSIDE;
	look->held_incomplete = meta->flags & SNAP_META_HELD_INCOMPLETE;
	look->totals = (struct heap_totals){
		.mapped_bytes = meta->mapped_bytes,
		.parsed_bytes = meta->parsed_bytes,
		.used_blocks = meta->used_blocks,
		.used_bytes = meta->used_bytes,
		.free_chunks = meta->free_chunks,
		.free_bytes = meta->free_bytes,
		.own_blocks = meta->own_blocks,
		.own_bytes = meta->own_bytes,
		.unread_bytes = meta->heap_unread_bytes,
	};
}

/* The look takes over what it can of the meta. */
static void take_meta(struct snap_meta *meta, struct look *look)
{
	copy_totals(meta, look);
	look->subject = (struct subject){
		.pid = meta->pid <= INT32_MAX ? (pid_t)meta->pid : 0,
		.name = meta->target,
		.allocator = meta->allocator,
		.identity.started = meta->started,
	};
	if (meta->boot_id)
		snprintf(look->subject.identity.boot_id,
			 sizeof(look->subject.identity.boot_id), "%s", meta->boot_id);
	look->is_of_core = meta->flags & SNAP_META_OF_CORE;
	look->has_contents = meta->flags & SNAP_META_CONTENTS;
	look->unread_reason = meta->unread_reason;
	look->damage = meta->damage;
	look->warnings = meta->warnings;
	look->notes = meta->notes;
	meta->target = meta->allocator = meta->unread_reason = NULL;
	meta->damage = meta->warnings = meta->notes = (struct sentence_vec){ 0 };
}

static struct error *check_whole(const struct loader *loader, uint64_t nr_dangling)
{
	const struct look *look = loader->look;
	const struct snap_meta *meta = &loader->meta;
	if (snap_reader_is_cut(loader->reader))
		return loader->nr_whole ? NULL : cut_short(loader);
	if (nr_dangling || loader->nr_whole != meta->nr_blocks ||
	    look->graph.nr_edges != meta->nr_edges ||
	    look->graph.roots.nr != meta->nr_roots)
		return loader_nonsense(loader, "comes before all of the graph");
	return NULL;
}

/* Places count when every edge has one. */
static void check_places(const struct loader *loader)
{
	struct graph *graph = &loader->look->graph;
	const bool is_whole = !snap_reader_is_cut(loader->reader);
	graph->places.edges_are_kept = loader->flags & LOOK_EDGE_PLACES &&
				       loader->nr_placed == graph->nr_edges && is_whole;
	graph->places.roots_are_kept = loader->flags & LOOK_PLACES &&
				       graph->places.roots.nr >= graph->roots.nr &&
				       is_whole;
}

/* Ranks past the cut are gone. */
static struct error *check_doubted(const struct loader *loader)
{
	struct rank_vec *doubted = &loader->look->doubted;
	size_t kept = 0;
	for (size_t i = 0; i < doubted->nr; i++)
		if (doubted->items[i] < loader->look->graph.nr_blocks)
			doubted->items[kept++] = doubted->items[i];
	bool is_cut = snap_reader_is_cut(loader->reader);
	if (kept < doubted->nr && !is_cut)
		return loader_nonsense(loader, "comes after ranks of no block");
	doubted->nr = kept;
	return NULL;
}

/* Whatever else is stored in answers, what is held is not told to be lost. */
static struct error *check_live(const struct loader *loader)
{
	const struct look *look = loader->look;
	const uint64_t *live = look->answers.live.memory;
	if (!live || reach_is_closed(&look->graph, live))
		return NULL;
	return error_remedy(
		error_create(ERROR_FORMAT,
			     "%s: a block that does not count as reachable is held by "
			     "one that does, or by a root",
			     snap_reader_name(loader->reader)),
		"it was not written by seep, or was changed; take a new one");
}

static struct error *load(struct loader *loader)
{
	uint64_t nr_dangling = 0;
	struct look *look = loader->look;
	look->classified = true;
	struct error *error = natures_create_listed(&look->natures);
	if (!error)
		error = snapshot_find_arrays(loader);
	if (!error)
		error = go_through(loader, ROUND_SPACE);
	if (!error && !loader->has_meta)
		error = cut_short(loader);
	if (!error && !loader->arrays.are_there)
		error = rebuild_ready(&loader->rebuild);
	if (!error)
		error = natures_reserve(look->natures, loader->rebuild.nr_announced);
	loader->blocks.nr = 0;
	if (!error)
		error = go_through(loader, ROUND_GRAPH);
	if (!error)
		error = snapshot_end_blocks(loader);
	if (!error)
		error = rebuild_finish(&loader->rebuild, &look->graph, &nr_dangling);
	if (!error)
		error = check_whole(loader, nr_dangling);
	if (!error)
		error = check_doubted(loader);
	if (!error)
		check_places(loader);
	if (!error)
		error = check_live(loader);
	if (error)
		return error;
	if (loader->nr_hashes != look->graph.nr_blocks)
		area_release(&look->hashes);
	if (loader->nr_sited != look->graph.nr_blocks)
		block_sites_deinit(&look->sites);
	take_meta(&loader->meta, look);
	count_missing(loader, look);
	return NULL;
}

struct error *snapshot_load(const char *path, unsigned flags, struct look *look,
			    struct places *places)
{
	struct loader loader = { .flags = flags, .look = look, .places = places };
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd < 0)
		return error_create(ERROR_SYSTEM, "cannot open %s: %s", path,
				    strerror(errno));
	struct error *error =
		snap_reader_open(fd, path, SNAP_KIND_SNAPSHOT, &loader.reader);
	if (error)
		return error;
	rebuild_init(&loader.rebuild);
	error = load(&loader);
	rebuild_deinit(&loader.rebuild);
	loaded_arrays_deinit(&loader.arrays);
	loaded_block_vec_deinit(&loader.blocks);
	snap_meta_deinit(&loader.meta);
	snap_reader_close(loader.reader);
	return error;
}
