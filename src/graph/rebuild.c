/*
 * rebuild: see rebuild.h.
 *
 * Small blocks that lie close together share a span with groups; every other block is a span
 * of its own, which takes no groups. So an address that nobody vouches for cannot make the
 * space large.
 */
#include "graph/rebuild.h"

#include "base/beside.h"

/* Small is what fits in so many bytes and has glibc's alignment; close is what is no farther
   apart. Each block then costs at most 64 groups. */
#define SMALL_BYTES (32u << 10)
#define CLOSE_BYTES (32u << 10)
/* A chunk's header, between the end of a block and the start of the next chunk's. */
#define HEADER_BYTES 8u

void rebuild_init(struct rebuild *rebuild)
{
	*rebuild = (struct rebuild){ 0 };
}

void rebuild_deinit(struct rebuild *rebuild)
{
	graph_deinit(&rebuild->graph);
}

/* --- spans ------------------------------------------------------------------------- */

static bool is_small(uint64_t address, uint64_t size)
{
	return address % GRANULE == 0 && size % GRANULE == GRANULE - HEADER_BYTES &&
	       size <= SMALL_BYTES;
}

static struct space_span *last_span(struct rebuild *rebuild)
{
	struct space_span_vec *spans = &rebuild->graph.space.spans;
	return spans->nr ? &spans->items[spans->nr - 1] : NULL;
}

struct error *rebuild_announce(struct rebuild *rebuild, uint64_t address, uint64_t size,
			       bool *fits)
{
	*fits = address >= rebuild->end && size > 0 && size < UINT64_MAX - address &&
		rebuild->nr_announced < RANK_MAX;
	if (!*fits)
		return NULL;
	struct space_span *span = last_span(rebuild);
	uint64_t distance = address - rebuild->end;
	bool joins = span && !span->single && is_small(address, size) &&
		     distance >= HEADER_BYTES && distance < CLOSE_BYTES;
	rebuild->nr_announced++;
	rebuild->end = address + size;
	if (joins) {
		span->end = rebuild->end;
		return NULL;
	}
	return space_add_span(&rebuild->graph.space, address, rebuild->end,
			      !is_small(address, size));
}

struct error *rebuild_ready(struct rebuild *rebuild)
{
	struct graph *graph = &rebuild->graph;
	uint64_t nr = rebuild->nr_announced;
	rebuild->end = 0;
	rebuild->span = SIZE_MAX;
	struct error *error = space_ready(&graph->space);
	if (!error && (!area_reserve(&graph->rows,
				     (nr / ROW_BLOCKS + 1) * sizeof(struct graph_row)) ||
		       !area_reserve(&graph->edges, EDGES_PAD * sizeof(uint32_t))))
		error = error_no_memory();
	return error;
}

/* --- blocks and edges --------------------------------------------------------------- */

/* Whether the block is where one was announced: in the span of the last one, or at the start
   of the next. */
static bool find_span(struct rebuild *rebuild, uint64_t address, uint64_t size)
{
	const struct space_span_vec *spans = &rebuild->graph.space.spans;
	size_t i = rebuild->span;
	if (i != SIZE_MAX && spans->items[i].end == rebuild->end)
		i = SIZE_MAX;
	bool is_next = i == SIZE_MAX;
	if (is_next)
		i = rebuild->span == SIZE_MAX ? 0 : rebuild->span + 1;
	if (i >= spans->nr || address < spans->items[i].start ||
	    address >= spans->items[i].end || size > spans->items[i].end - address)
		return false;
	rebuild->span = i;
	const struct space_span *span = &spans->items[i];
	if (span->single)
		return address == span->start && address + size == span->end;
	return is_small(address, size) &&
	       (is_next ? address == span->start
			: address >= rebuild->end + HEADER_BYTES);
}

/* Writes the degree of the last block. */
static struct error *close_block(struct rebuild *rebuild)
{
	struct graph *graph = &rebuild->graph;
	if (!graph->space.nr_blocks)
		return NULL;
	uint32_t rank = (uint32_t)graph->space.nr_blocks - 1;
	uint64_t degree = graph->nr_edges - rebuild->first_edge;
	bool is_large = degree >= DEGREE_LARGE;
	graph_row(graph, rank)->degrees[rank % ROW_BLOCKS] = is_large ? DEGREE_LARGE
								      : (uint8_t)degree;
	struct graph_large large = { .rank = rank, .degree = degree };
	return !is_large || graph_large_vec_push(&graph->large, large)
		       ? NULL
		       : error_no_memory();
}

struct error *rebuild_block(struct rebuild *rebuild, uint64_t address, uint64_t size,
			    bool *fits)
{
	struct graph *graph = &rebuild->graph;
	size_t span = rebuild->span;
	*fits = graph->space.nr_blocks < rebuild->nr_announced &&
		find_span(rebuild, address, size);
	if (!*fits)
		return NULL;
	struct error *error = close_block(rebuild);
	if (error)
		return error;
	if (rebuild->span == span && address > rebuild->end + HEADER_BYTES)
		space_chunk(&graph->space, rebuild->end + HEADER_BYTES, false);
	uint32_t rank = (uint32_t)graph->space.nr_blocks;
	space_chunk(&graph->space, address, true);
	if (rank % ROW_BLOCKS == 0)
		graph_row(graph, rank)->base = graph->nr_edges;
	rebuild->first_edge = graph->nr_edges;
	rebuild->end = address + size;
	return NULL;
}

struct error *rebuild_edges(struct rebuild *rebuild, const uint32_t *edges, size_t nr)
{
	struct graph *graph = &rebuild->graph;
	if (!area_reserve(&graph->edges,
			  (graph->nr_edges + nr + EDGES_PAD) * sizeof(*edges)))
		return error_no_memory();
	uint32_t *to = graph->edges.memory;
	for (size_t i = 0; i < nr; i++)
		to[graph->nr_edges + i] = edges[i];
	graph->nr_edges += nr;
	return NULL;
}

struct error *rebuild_root(struct rebuild *rebuild, struct graph_root root)
{
	return graph_root_vec_push(&rebuild->graph.roots, root) ? NULL
								: error_no_memory();
}

struct error *rebuild_stale(struct rebuild *rebuild, struct graph_root root)
{
	return graph_root_vec_push(&rebuild->graph.stale, root) ? NULL
								: error_no_memory();
}

/* --- arrays of another graph ---------------------------------------------------------- */

/* Bits for the granules that begin before so many bytes of a group. */
static uint64_t granules_before(uint64_t bytes)
{
	uint64_t nr = (bytes + GRANULE - 1) / GRANULE;
	return nr < 64 ? ((uint64_t)1 << nr) - 1 : UINT64_MAX;
}

/* The granules of a group in which chunks of a span may begin. */
static uint64_t granules_of(const struct space_span *span, uint64_t start)
{
	uint64_t mask = UINT64_MAX;
	if (span->start > start)
		mask &= ~granules_before(span->start - start);
	if (span->end - start < GROUP_BYTES)
		mask &= granules_before(span->end - start);
	return mask;
}

/* The groups of one span, which blocks come before. */
static bool adopt_groups(const struct space *space, const struct space_span *span,
			 uint64_t *nr_blocks)
{
	const struct space_group *groups = space_groups(space);
	uint64_t start = span->start & ~(uint64_t)(GROUP_BYTES - 1);
	uint64_t last = UINT64_MAX;
	for (uint64_t g = span->base / GROUP_BYTES; start < span->end;
	     g++, start += GROUP_BYTES) {
		uint64_t back = last == UINT64_MAX ? 0 : g - last;
		if (groups[g].rank != *nr_blocks || groups[g].back != back ||
		    groups[g].live & ~groups[g].starts ||
		    groups[g].starts & ~granules_of(span, start))
			return false;
		*nr_blocks += (uint64_t)__builtin_popcountll(groups[g].live);
		if (groups[g].starts)
			last = g;
	}
	return true;
}

static bool adopt_space(struct space *space, uint64_t nr_blocks)
{
	space->nr_blocks = 0;
	for (size_t i = 0; i < space->spans.nr; i++) {
		struct space_span *span = &space->spans.items[i];
		if (!span->single && !adopt_groups(space, span, &space->nr_blocks))
			return false;
		if (span->single && span->rank != RANK_NONE)
			span->rank = (uint32_t)space->nr_blocks++;
	}
	return space->nr_blocks == nr_blocks;
}

/* Adds the degrees of a row's blocks; false: one of them is large, or cannot be. */
static bool sum_up(const struct graph_row *row, uint64_t *nr_edges)
{
	unsigned sum = 0;
	uint8_t most = 0;
	for (unsigned i = 0; i < ROW_BLOCKS; i++) {
		sum += row->degrees[i];
		most = row->degrees[i] > most ? row->degrees[i] : most;
	}
	*nr_edges += sum;
	return most < DEGREE_LARGE;
}

/* What is adopted, and how far. */
struct adopting {
	const struct graph *graph;
	uint64_t nr_blocks, nr_edges;
	size_t large; /* of the large ones, those that were met */
	bool fits;
};

/* The blocks of a row from the first one on, of which some may be large. */
static bool adopt_row(struct adopting *adopting, uint64_t rank)
{
	const struct graph *graph = adopting->graph;
	const struct graph_row *row = graph_row(graph, (uint32_t)rank);
	const uint64_t left = adopting->nr_blocks - rank;
	for (unsigned i = 0; i < ROW_BLOCKS && i < left; i++) {
		uint64_t degree = row->degrees[i];
		if (degree > DEGREE_LARGE)
			return false;
		if (degree == DEGREE_LARGE) {
			if (adopting->large == graph->large.nr ||
			    graph->large.items[adopting->large].rank != rank + i)
				return false;
			degree = graph->large.items[adopting->large++].degree;
		}
		adopting->nr_edges += degree;
		if (adopting->nr_edges > graph->nr_edges)
			return false;
	}
	return true;
}

static void adopt_rows(void *context)
{
	struct adopting *adopting = context;
	const struct graph *graph = adopting->graph;
	bool good = true;
	for (uint64_t rank = 0; good && rank < adopting->nr_blocks; rank += ROW_BLOCKS) {
		const struct graph_row *row = graph_row(graph, (uint32_t)rank);
		uint64_t nr_edges = adopting->nr_edges;
		good = row->base == nr_edges;
		if (adopting->nr_blocks - rank >= ROW_BLOCKS && sum_up(row, &nr_edges))
			adopting->nr_edges = nr_edges;
		else
			good = good && adopt_row(adopting, rank);
	}
	adopting->fits = good && adopting->nr_edges == graph->nr_edges &&
			 adopting->large == graph->large.nr;
}

void rebuild_adopt(struct rebuild *rebuild, uint64_t nr_blocks, uint64_t nr_edges,
		   bool *fits)
{
	struct graph *graph = &rebuild->graph;
	struct adopting rows = { .graph = graph, .nr_blocks = nr_blocks };
	struct beside beside;
	graph->nr_edges = nr_edges;
	rebuild->is_adopted = true;
	rebuild->nr_announced = nr_blocks;
	beside_start(&beside, adopt_rows, &rows);
	*fits = adopt_space(&graph->space, nr_blocks);
	beside_finish(&beside);
	*fits = *fits && rows.fits;
}

/* --- the end ------------------------------------------------------------------------ */

static bool is_dangling(const struct graph *graph, uint32_t edge)
{
	return edge != EDGE_NONE &&
	       (edge_rank(edge) >= graph->nr_blocks || edge_class(edge) > EDGE_INTERIOR);
}

/* Keeps the roots that lead to a block, in their order; gives how many went. */
static uint64_t keep_leading(const struct graph *graph, struct graph_root_vec *roots)
{
	size_t kept = 0;
	for (size_t i = 0; i < roots->nr; i++)
		if (roots->items[i].edge != EDGE_NONE &&
		    !is_dangling(graph, roots->items[i].edge))
			roots->items[kept++] = roots->items[i];
	uint64_t gone = roots->nr - kept;
	roots->nr = kept;
	return gone;
}

/* Edges of which those that lead nowhere are cut. */
struct cutting {
	const struct graph *graph;
	uint64_t first, end, nr_dangling;
};

static void cut_edges(void *context)
{
	struct cutting *cutting = context;
	uint32_t *edges = cutting->graph->edges.memory;
	for (uint64_t i = cutting->first; i < cutting->end; i++) {
		if (!is_dangling(cutting->graph, edges[i]))
			continue;
		edges[i] = EDGE_NONE;
		cutting->nr_dangling++;
	}
}

static uint64_t cut_dangling(const struct graph *graph)
{
	const uint64_t half = graph->nr_edges / 2;
	struct cutting halves[] = {
		{ .graph = graph, .end = half },
		{ .graph = graph, .first = half, .end = graph->nr_edges },
	};
	struct beside beside;
	beside_start(&beside, cut_edges, &halves[1]);
	cut_edges(&halves[0]);
	beside_finish(&beside);
	return halves[0].nr_dangling + halves[1].nr_dangling;
}

struct error *rebuild_finish(struct rebuild *rebuild, struct graph *result,
			     uint64_t *nr_dangling)
{
	struct graph *graph = &rebuild->graph;
	struct error *error = rebuild->is_adopted ? NULL : close_block(rebuild);
	if (error)
		return error;
	if (!rebuild->is_adopted)
		space_finish(&graph->space);
	graph->nr_blocks = graph->space.nr_blocks;
	*nr_dangling = keep_leading(graph, &graph->roots) +
		       keep_leading(graph, &graph->stale) +
		       keep_leading(graph, &graph->places.roots);
	*nr_dangling += cut_dangling(graph);
	area_trim(&graph->edges, (graph->nr_edges + EDGES_PAD) * sizeof(uint32_t));
	*result = *graph;
	*graph = (struct graph){ 0 };
	return NULL;
}
