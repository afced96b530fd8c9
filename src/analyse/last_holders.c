/* last_holders: see last_holders.h. */
#include "analyse/last_holders.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "analyse/block_types.h"
#include "analyse/leaks.h"
#include "base/bitmap.h"

static int by_edge(const void *a, const void *b)
{
	const struct graph_root *left = a, *right = b;
	return left->edge < right->edge ? -1 : left->edge > right->edge;
}

struct error *last_holders_init(struct last_holders *holders, const struct look *look,
				const struct reach *reach)
{
	const struct graph_root_vec *stale = &look->graph.stale;
	*holders = (struct last_holders){ .look = look };
	for (size_t i = 0; i < stale->nr; i++)
		if (!bitmap_test(reach->any.memory, edge_rank(stale->items[i].edge)) &&
		    !graph_root_vec_push(&holders->stale, stale->items[i]))
			return error_no_memory();
	if (holders->stale.nr)
		qsort(holders->stale.items, holders->stale.nr,
		      sizeof(holders->stale.items[0]), by_edge);
	return NULL;
}

void last_holders_deinit(struct last_holders *holders)
{
	graph_root_vec_deinit(&holders->stale);
}

char *last_holders_lost(const struct last_holders *holders, uint32_t rank)
{
	const struct look *look = holders->look;
	uint64_t address = 0, size = 0;
	space_block(&look->graph.space, rank, &address, &size);
	char *type = block_type_name(look->natures, natures_get(look->natures, rank),
				     size, GROUP_BY_CAUSE);
	char *name = NULL;
	if (type && asprintf(&name, "lost %s at 0x%" PRIx64, type, address) < 0)
		name = NULL;
	free(type);
	return name;
}

char *last_holders_stale(const struct last_holders *holders, uint32_t rank)
{
	size_t low = 0, high = holders->stale.nr;
	while (low < high) {
		size_t middle = (low + high) / 2;
		if (edge_rank(holders->stale.items[middle].edge) < rank)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == holders->stale.nr || edge_rank(holders->stale.items[low].edge) != rank)
		return NULL;
	const struct graph_root *stale = &holders->stale.items[low];
	char *name = NULL;
	if (asprintf(&name, "%s (a stale pointer at 0x%" PRIx64 ")",
		     stale->source == STALE_STACK ? "a function that has returned"
						  : "a freed block",
		     stale->where) < 0)
		return NULL;
	return name;
}
