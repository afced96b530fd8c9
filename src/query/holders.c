/* holders: see holders.h. Sorted by counting. */
#include "query/holders.h"

/* Edges, one every `stride` bytes. */
struct edge_list {
	const unsigned char *edges;
	size_t stride;
	uint64_t nr;
};

static uint32_t edge_at(const struct edge_list *list, uint64_t i)
{
	return *(const uint32_t *)(const void *)(list->edges + i * list->stride);
}

static struct error *sort(const struct graph *graph, const struct edge_list *list,
			  struct holders *holders)
{
	if (!area_reserve(&holders->first, (graph->nr_blocks + 2) * sizeof(uint32_t)) ||
	    !area_reserve(&holders->indices, (list->nr + 1) * sizeof(uint32_t)))
		return error_no_memory();
	/* Counts stand one further on than they will, since the second pass moves them. */
	uint32_t *first = holders->first.memory, *indices = holders->indices.memory;
	for (uint64_t i = 0; i < list->nr; i++)
		if (edge_at(list, i) != EDGE_NONE)
			first[edge_rank(edge_at(list, i)) + 2]++;
	for (uint64_t i = 2; i < graph->nr_blocks + 2; i++)
		first[i] += first[i - 1];
	for (uint64_t i = 0; i < list->nr; i++)
		if (edge_at(list, i) != EDGE_NONE)
			indices[first[edge_rank(edge_at(list, i)) + 1]++] = (uint32_t)i;
	return NULL;
}

struct error *holders_of_edges(const struct graph *graph, struct holders *holders)
{
	const struct edge_list list = {
		.edges = graph->edges.memory,
		.stride = sizeof(uint32_t),
		.nr = graph->nr_edges,
	};
	return sort(graph, &list, holders);
}

struct error *holders_of_roots(const struct graph *graph,
			       const struct graph_root_vec *roots,
			       struct holders *holders)
{
	const struct edge_list list = {
		.edges = (const unsigned char *)roots->items +
			 offsetof(struct graph_root, edge),
		.stride = sizeof(struct graph_root),
		.nr = roots->nr,
	};
	return sort(graph, &list, holders);
}

void holders_deinit(struct holders *holders)
{
	area_release(&holders->first);
	area_release(&holders->indices);
}

uint32_t holders_source(const struct graph *graph, uint64_t edge)
{
	const struct graph_row *rows = graph->rows.memory;
	uint64_t low = 0;
	/* The last row that begins at the edge or before, and then the last such block. */
	for (uint64_t high = graph->nr_blocks / ROW_BLOCKS + 1; high - low > 1;) {
		uint64_t middle = (low + high) / 2;
		if (rows[middle].base > edge)
			high = middle;
		else
			low = middle;
	}
	uint32_t rank = (uint32_t)(low * ROW_BLOCKS);
	const uint32_t *all = graph->edges.memory;
	for (;; rank++) {
		uint64_t nr = 0;
		const uint32_t *edges = graph_edges(graph, rank, &nr);
		if (edge < (uint64_t)(edges - all) + nr)
			return rank;
	}
}
