/* paths: see paths.h. */
#include "graph/paths.h"

#include <string.h>

#include "base/bitmap.h"

struct walk {
	const struct graph *graph;
	const struct entries *entries;
	const struct removal *removal;
	const uint64_t *ends;
	uint32_t *before, *order;
	uint64_t head, tail;
};

static void meet(struct walk *walk, uint32_t rank, uint32_t before)
{
	const uint64_t *removed = walk->removal->blocks;
	if (walk->before[rank] != RANK_NONE || (removed && bitmap_test(removed, rank)))
		return;
	walk->before[rank] = before;
	walk->order[walk->tail++] = rank;
}

static void meet_entries(struct walk *walk, uint32_t from, uint32_t to)
{
	const uint64_t *left = walk->removal->entries;
	for (uint32_t i = from; i < to; i++)
		if (!left || bitmap_test(left, i))
			meet(walk, entries_ranks(walk->entries)[i], PATHS_ENTRY);
}

static void spread(struct walk *walk, bool lost_only)
{
	while (walk->head < walk->tail) {
		uint32_t rank = walk->order[walk->head++];
		uint64_t nr = 0;
		const uint32_t *edges = graph_edges(walk->graph, rank, &nr);
		if (walk->ends && bitmap_test(walk->ends, rank))
			continue;
		for (uint64_t i = 0; i < nr; i++)
			if (edges[i] != EDGE_NONE &&
			    (!lost_only ||
			     !bitmap_test(walk->entries->live, edge_rank(edges[i]))))
				meet(walk, edge_rank(edges[i]), rank);
	}
}

struct error *paths_find(const struct graph *graph, const struct entries *entries,
			 const struct removal *removal, const uint64_t *ends,
			 struct paths *paths)
{
	size_t bytes = (graph->nr_blocks + 1) * sizeof(uint32_t);
	*paths = (struct paths){ 0 };
	if (!area_reserve(&paths->before, bytes) || !area_reserve(&paths->order, bytes)) {
		paths_deinit(paths);
		return error_no_memory();
	}
	struct walk walk = {
		.graph = graph,
		.entries = entries,
		.removal = removal,
		.ends = ends,
		.before = paths->before.memory,
		.order = paths->order.memory,
	};
	memset(walk.before, 0xff, bytes);
	meet_entries(&walk, 0, entries->nr_live);
	spread(&walk, false);
	meet_entries(&walk, entries->nr_live, entries->nr);
	spread(&walk, true);
	paths->nr = walk.tail;
	return NULL;
}

void paths_deinit(struct paths *paths)
{
	area_release(&paths->before);
	area_release(&paths->order);
	*paths = (struct paths){ 0 };
}
