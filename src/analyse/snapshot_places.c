/*
 * snapshot_places: where edges stand in their blocks and lead to, all roots, and the mappings.
 * What has none of it still holds the graph.
 */
#include "analyse/snapshot_priv.h"

#include <string.h>

/* So many edges share a chunk. */
#define SEGMENT_EDGES (1u << 20)

/* --- saving ------------------------------------------------------------------------- */

static struct error *save_edges(const struct graph *graph, struct snap_writer *writer)
{
	const struct edge_place *places = graph->places.edges.memory;
	struct pack payload = { 0 };
	struct error *error = NULL;
	for (uint64_t i = 0; !error && i < graph->nr_edges; i += SEGMENT_EDGES) {
		uint64_t left = graph->nr_edges - i;
		uint64_t nr = left < SEGMENT_EDGES ? left : SEGMENT_EDGES;
		pack_number(&payload, i);
		pack_bytes(&payload, places + i, nr * sizeof(*places));
		error = snap_writer_chunk(writer, SNAP_EDGE_PLACES, CHUNK_VERSION,
					  &payload);
	}
	pack_deinit(&payload);
	return error;
}

enum far_list { FAR_WORDS, FAR_DISTANCES };

static struct error *save_far(const struct far_place_vec *places, enum far_list list,
			      struct snap_writer *writer)
{
	struct pack payload = { 0 };
	struct error *error = NULL;
	uint64_t before = 0;
	for (size_t i = 0; !error && i < places->nr; i++) {
		if (!payload.size) {
			pack_number(&payload, list);
			before = 0;
		}
		pack_number(&payload, places->items[i].edge - before);
		pack_number(&payload, places->items[i].number);
		before = places->items[i].edge;
		if (payload.size >= FLUSH_BYTES || i + 1 == places->nr)
			error = snap_writer_chunk(writer, SNAP_FAR_PLACES, CHUNK_VERSION,
						  &payload);
	}
	pack_deinit(&payload);
	return error;
}

static struct error *save_roots(const struct graph_root_vec *roots,
				struct snap_writer *writer)
{
	struct pack payload = { 0 };
	struct error *error = NULL;
	struct graph_root before = { 0 };
	for (size_t i = 0; !error && i < roots->nr; i++) {
		const struct graph_root *root = &roots->items[i];
		pack_difference(&payload, root->edge, before.edge);
		pack_number(&payload, root->source);
		pack_difference(&payload, root->where, before.where);
		before = *root;
		if (payload.size < FLUSH_BYTES && i + 1 < roots->nr)
			continue;
		error = snap_writer_chunk(writer, SNAP_EVERY_ROOT, CHUNK_VERSION,
					  &payload);
		before = (struct graph_root){ 0 };
	}
	pack_deinit(&payload);
	return error;
}

struct error *snapshot_save_edge_places(const struct look *look,
					struct snap_writer *writer)
{
	const struct graph_places *places = &look->graph.places;
	if (!places->edges_are_kept || !places->roots_are_kept)
		return NULL;
	struct error *error = save_edges(&look->graph, writer);
	if (!error)
		error = save_far(&places->far_words, FAR_WORDS, writer);
	if (!error)
		error = save_far(&places->far_distances, FAR_DISTANCES, writer);
	return error ? error : save_roots(&places->roots, writer);
}

/* --- loading ------------------------------------------------------------------------ */

struct error *snapshot_load_edge_places(struct loader *loader, struct unpack *payload)
{
	struct graph_places *places = &loader->rebuild.graph.places;
	uint64_t first = unpack_number(payload);
	size_t size = unpack_left(payload);
	uint64_t nr = size / sizeof(struct edge_place);
	if (payload->bad || first != loader->nr_placed ||
	    size % sizeof(struct edge_place) ||
	    first + nr > loader->rebuild.graph.nr_edges)
		return loader_nonsense(loader, "is not the next one");
	if (!area_reserve(&places->edges, (first + nr) * sizeof(struct edge_place)))
		return error_no_memory();
	memcpy((struct edge_place *)places->edges.memory + first, payload->at, size);
	loader->nr_placed += nr;
	return NULL;
}

struct error *snapshot_load_far_places(struct loader *loader, struct unpack *payload)
{
	struct graph_places *places = &loader->rebuild.graph.places;
	uint64_t list = unpack_number(payload);
	struct far_place_vec *into = list == FAR_WORDS ? &places->far_words
						       : &places->far_distances;
	struct far_place far = { 0 };
	while (payload->at < payload->end) {
		uint64_t step = unpack_number(payload);
		far.number = unpack_number(payload);
		if (payload->bad || list > FAR_DISTANCES || step > UINT64_MAX - far.edge)
			return loader_nonsense(loader, "holds a place that cannot be");
		far.edge += step;
		if (!far_place_vec_push(into, far))
			return error_no_memory();
	}
	return NULL;
}

struct error *snapshot_load_every_root(struct loader *loader, struct unpack *payload)
{
	struct graph_places *places = &loader->rebuild.graph.places;
	uint64_t edge = 0, where = 0;
	while (payload->at < payload->end) {
		edge = unpack_difference(payload, edge);
		uint64_t source = unpack_number(payload);
		where = unpack_difference(payload, where);
		struct graph_root root = {
			.edge = (uint32_t)edge,
			.source = (uint32_t)source,
			.where = where,
		};
		if (payload->bad || edge > UINT32_MAX || source > UINT32_MAX ||
		    graph_root_kind(&root) > ROOT_UNREADABLE ||
		    places->roots.nr >= PLACES_ROOTS_MAX)
			return loader_nonsense(loader, "holds a root that cannot be");
		if (!graph_root_vec_push(&places->roots, root))
			return error_no_memory();
	}
	return NULL;
}

struct error *snapshot_load_regions(struct loader *loader, struct unpack *payload)
{
	struct look_region_vec *regions = &loader->look->regions;
	while (payload->at < payload->end) {
		struct look_region region = { .start = unpack_number(payload) };
		region.end = region.start + unpack_number(payload);
		for (size_t i = 0; i < 5; i++) /* flags, offset, device, inode */
			unpack_number(payload);
		region.name = unpack_text(payload);
		if (payload->bad || !region.name || region.end < region.start) {
			free(region.name);
			return loader_nonsense(loader, "holds a mapping that cannot be");
		}
		if (!look_region_vec_push(regions, region)) {
			free(region.name);
			return error_no_memory();
		}
	}
	return NULL;
}
