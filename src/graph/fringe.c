/* fringe: see fringe.h. */
#include "graph/fringe.h"

#include "base/beside.h"
#include "base/bitmap.h"

/* Pointers of a block to the same one count once if they are so close: a vector's are. */
#define NEAR 3u

/* Who is held, by the blocks of one part of the heap. */
struct census {
	const struct graph *graph;
	uint32_t first, end; /* ranks */
	struct area held;    /* bitmap: somebody holds it */
	struct area several; /* bitmap: more than one does */
};

struct finder {
	const struct graph *graph;
	struct fringe *fringe;
	uint32_t *holders;
	struct census parts[2];
};

static bool is_repeated(const struct edge_run *run, uint64_t i)
{
	uint32_t rank = edge_rank(run->edges[i]);
	for (uint64_t back = 1; back <= NEAR && back <= i; back++)
		if (edge_rank(run->edges[i - back]) == rank)
			return true;
	return false;
}

static void count_holder(struct census *census, uint32_t rank, const struct edge_run *run)
{
	for (uint64_t i = 0; i < run->nr; i++) {
		uint32_t to = edge_rank(run->edges[i]);
		if (run->edges[i] == EDGE_NONE || to == rank || is_repeated(run, i))
			continue;
		if (!bitmap_claim(census->held.memory, to))
			bitmap_set(census->several.memory, to);
	}
}

static void take_census(void *context)
{
	struct census *census = context;
	struct edge_run run = graph_run(
		census->graph, graph_row(census->graph, census->first), census->first);
	for (uint32_t rank = census->first; rank < census->end; rank++) {
		run.nr = graph_degree(census->graph, rank);
		count_holder(census, rank, &run);
		run.edges += run.nr;
	}
}

/* Both halves' results in the first one's. */
static void unite(struct census *parts, size_t nr_words)
{
	uint64_t *held = parts[0].held.memory, *several = parts[0].several.memory;
	const uint64_t *also_held = parts[1].held.memory;
	const uint64_t *also_several = parts[1].several.memory;
	for (size_t i = 0; i < nr_words; i++) {
		several[i] |= also_several[i] | (held[i] & also_held[i]);
		held[i] |= also_held[i];
	}
}

static void count_holders(struct finder *finder)
{
	struct census *parts = finder->parts;
	struct beside beside;
	uint32_t nr = (uint32_t)finder->graph->nr_blocks;
	for (size_t i = 0; i < ARRAY_SIZE(finder->parts); i++)
		parts[i].graph = finder->graph;
	parts[0].end = parts[1].first = nr / 2;
	parts[1].end = nr;
	beside_start(&beside, take_census, &parts[1]);
	take_census(&parts[0]);
	beside_finish(&beside);
	unite(parts, bitmap_words(nr));
}

/* Whether all that a block holds is in the fringe. */
static bool leads_nowhere(const struct finder *finder, uint32_t rank,
			  const struct edge_run *run)
{
	const uint64_t *is_in = finder->fringe->is_in.memory;
	for (uint64_t i = 0; i < run->nr; i++) {
		uint32_t edge = run->edges[i];
		if (edge != EDGE_NONE && edge_rank(edge) != rank &&
		    !bitmap_test(is_in, edge_rank(edge)))
			return false;
	}
	return true;
}

static void take_in(struct finder *finder, uint32_t rank, const struct edge_run *run)
{
	struct fringe *fringe = finder->fringe;
	if (!bitmap_test(finder->parts[0].held.memory, rank) ||
	    bitmap_test(finder->parts[0].several.memory, rank) ||
	    !leads_nowhere(finder, rank, run))
		return;
	bitmap_set(fringe->is_in.memory, rank);
	((uint32_t *)fringe->order.memory)[fringe->nr++] = rank;
	for (uint64_t i = 0; i < run->nr; i++)
		if (run->edges[i] != EDGE_NONE && edge_rank(run->edges[i]) != rank)
			finder->holders[edge_rank(run->edges[i])] = rank;
}

/* What was allocated first mostly holds what was allocated later. */
static void take_all_in(struct finder *finder)
{
	const struct graph *graph = finder->graph;
	struct edge_run run = {
		.edges = (const uint32_t *)graph->edges.memory + graph->nr_edges,
	};
	for (uint64_t rank = graph->nr_blocks; rank-- > 0;) {
		run.nr = graph_degree(graph, (uint32_t)rank);
		run.edges -= run.nr;
		take_in(finder, (uint32_t)rank, &run);
	}
}

static void keep_out(struct finder *finder, const struct entries *entries)
{
	for (uint32_t i = 0; i < entries->nr; i++)
		bitmap_set(finder->parts[0].several.memory, entries_ranks(entries)[i]);
	for (uint32_t group = 0; group < entries->nr_groups; group++) {
		struct edge_run run = entries_of_group(entries, group);
		for (uint64_t i = 0; i < run.nr; i++)
			bitmap_set(finder->parts[0].several.memory,
				   edge_rank(run.edges[i]));
	}
}

bool fringe_find(const struct graph *graph, const struct entries *entries,
		 uint32_t *holders, struct fringe *fringe)
{
	*fringe = (struct fringe){ 0 };
	struct finder finder = { .graph = graph, .fringe = fringe, .holders = holders };
	size_t bytes = bitmap_words(graph->nr_blocks + 1) * 8;
	bool good =
		area_reserve(&fringe->is_in, bytes) &&
		area_reserve(&fringe->order, (graph->nr_blocks + 1) * sizeof(uint32_t));
	for (size_t i = 0; i < ARRAY_SIZE(finder.parts); i++)
		good = good && area_reserve(&finder.parts[i].held, bytes) &&
		       area_reserve(&finder.parts[i].several, bytes);
	if (good) {
		count_holders(&finder);
		keep_out(&finder, entries);
		take_all_in(&finder);
		area_trim(&fringe->order, ((size_t)fringe->nr + 1) * sizeof(uint32_t));
	}
	for (size_t i = 0; i < ARRAY_SIZE(finder.parts); i++) {
		area_release(&finder.parts[i].held);
		area_release(&finder.parts[i].several);
	}
	if (!good)
		fringe_deinit(fringe);
	return good;
}

void fringe_deinit(struct fringe *fringe)
{
	area_release(&fringe->is_in);
	area_release(&fringe->order);
	*fringe = (struct fringe){ 0 };
}
