/* graph: see graph.h. */
#include "graph/graph.h"

#if defined(__x86_64__)
#include <emmintrin.h>
#endif

void graph_deinit(struct graph *graph)
{
	space_deinit(&graph->space);
	area_release(&graph->edges);
	area_release(&graph->rows);
	graph_large_vec_deinit(&graph->large);
	graph_root_vec_deinit(&graph->roots);
	graph_root_vec_deinit(&graph->stale);
	area_release(&graph->places.edges);
	far_place_vec_deinit(&graph->places.far_words);
	far_place_vec_deinit(&graph->places.far_distances);
	graph_root_vec_deinit(&graph->places.roots);
	*graph = (struct graph){ 0 };
}

static uint64_t large_degree(const struct graph *graph, uint32_t rank)
{
	size_t low = 0, high = graph->large.nr;
	while (low < high) {
		size_t middle = (low + high) / 2;
		if (graph->large.items[middle].rank < rank)
			low = middle + 1;
		else
			high = middle;
	}
	return graph->large.items[low].degree;
}

#if defined(__x86_64__)
/* Ones for the degrees before the one asked for: row_mask + ROW_BLOCKS - n covers n. */
static const uint8_t row_mask[2 * ROW_BLOCKS] = {
	[0 ... ROW_BLOCKS - 1] = DEGREE_MASK,
};

/* The edges of the first `nr` blocks of a row; false if one of them is large. Without a
   loop over them: its length would be different each time, and mispredicted. */
static bool sum_of_degrees(const struct graph_row *row, unsigned nr, uint64_t *sum)
{
	const __m128i large = _mm_set1_epi8((char)DEGREE_LARGE);
	const char *degrees = (const char *)row->degrees;
	const char *mask = (const char *)row_mask + ROW_BLOCKS - nr;
	__m128i sums = _mm_setzero_si128(), found = sums;
	for (unsigned i = 0; i < ROW_BLOCKS; i += 8) {
		__m128i part = _mm_and_si128(
			_mm_loadl_epi64((const __m128i *)(const void *)(degrees + i)),
			_mm_loadl_epi64((const __m128i *)(const void *)(mask + i)));
		sums = _mm_add_epi64(sums, _mm_sad_epu8(part, _mm_setzero_si128()));
		found = _mm_or_si128(found, _mm_cmpeq_epi8(part, large));
	}
	*sum = (uint64_t)_mm_cvtsi128_si64(sums);
	return _mm_movemask_epi8(found) == 0;
}
#else
static bool sum_of_degrees(const struct graph_row *row, unsigned nr, uint64_t *sum)
{
	bool large = false;
	*sum = 0;
	for (unsigned i = 0; i < nr; i++) {
		uint8_t degree = row->degrees[i] & DEGREE_MASK;
		*sum += degree;
		large = large || degree == DEGREE_LARGE;
	}
	return !large;
}
#endif

static uint64_t degree_of(const struct graph *graph, const struct graph_row *row,
			  uint32_t rank)
{
	uint8_t degree = row->degrees[rank % ROW_BLOCKS] & DEGREE_MASK;
	return degree == DEGREE_LARGE ? large_degree(graph, rank) : degree;
}

static uint64_t sum_of_large_degrees(const struct graph *graph,
				     const struct graph_row *row, uint32_t rank)
{
	uint64_t sum = 0;
	for (uint32_t i = rank - rank % ROW_BLOCKS; i < rank; i++)
		sum += degree_of(graph, row, i);
	return sum;
}

struct edge_run graph_run(const struct graph *graph, const struct graph_row *row,
			  uint32_t rank)
{
	uint64_t before = 0;
	if (!sum_of_degrees(row, rank % ROW_BLOCKS, &before))
		before = sum_of_large_degrees(graph, row, rank);
	return (struct edge_run){
		.edges = (const uint32_t *)graph->edges.memory + row->base + before,
		.nr = degree_of(graph, row, rank),
	};
}

uint64_t graph_degree(const struct graph *graph, uint32_t rank)
{
	return degree_of(graph, graph_row(graph, rank), rank);
}

const uint32_t *graph_edges(const struct graph *graph, uint32_t rank, uint64_t *nr)
{
	struct edge_run run = graph_run(graph, graph_row(graph, rank), rank);
	*nr = run.nr;
	return run.edges;
}

bool graph_points_to(const struct graph *graph, uint32_t from, uint32_t to)
{
	uint64_t nr = 0;
	const uint32_t *edges = graph_edges(graph, from, &nr);
	for (uint64_t i = 0; i < nr; i++)
		if (edges[i] != EDGE_NONE && edge_rank(edges[i]) == to)
			return true;
	return false;
}

/* --- places ---------------------------------------------------------------------------- */

static uint64_t far_number(const struct far_place_vec *places, uint64_t edge)
{
	size_t low = 0, high = places->nr;
	while (low < high) {
		size_t middle = (low + high) / 2;
		if (places->items[middle].edge < edge)
			low = middle + 1;
		else
			high = middle;
	}
	return low < places->nr && places->items[low].edge == edge
		       ? places->items[low].number
		       : 0;
}

struct edge_walk graph_walk(const struct graph *graph, uint32_t rank)
{
	struct edge_walk walk = { .graph = graph };
	walk.run.edges = graph_edges(graph, rank, &walk.run.nr);
	return walk;
}

bool edge_walk_next(struct edge_walk *walk, struct edge_at *at)
{
	const struct graph_places *places = &walk->graph->places;
	const uint32_t *all = walk->graph->edges.memory;
	while (walk->next < walk->run.nr) {
		const uint32_t *edge = walk->run.edges + walk->next++;
		*at = (struct edge_at){ .edge = *edge, .index = (uint64_t)(edge - all) };
		if (places->edges_are_kept) {
			struct edge_place place =
				((struct edge_place *)places->edges.memory)[at->index];
			walk->word += place.word == PLACE_FAR
					      ? far_number(&places->far_words, at->index)
					      : place.word;
			at->offset = walk->word * 8;
			at->distance =
				place.distance == PLACE_FAR
					? far_number(&places->far_distances, at->index)
					: place.distance;
		}
		if (*edge != EDGE_NONE)
			return true;
	}
	return false;
}
