/*
 * A snapshot made of the input, as chunk_file.h says. What can be loaded must be sound enough
 * to be marked.
 */
#include <stdlib.h>

#include "analyse/snapshot_load.h"
#include "base/bitmap.h"
#include "fuzz/chunk_file.h"
#include "graph/lost.h"
#include "graph/reach.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

/* Every block and every edge is where the graph says. */
static void check_graph(const struct look *look)
{
	const struct graph *graph = &look->graph;
	struct reach reach = { 0 };
	struct lost lost = { 0 };
	struct error *error = reach_mark(graph, true, 1, &reach);
	if (!error)
		error = reach_add(graph, &reach, look->doubted.items, look->doubted.nr);
	if (!error)
		error = lost_find(graph, reach.any.memory, &lost);
	uint64_t end = 0;
	for (uint32_t rank = 0; rank < graph->nr_blocks; rank++) {
		uint64_t address = 0, length = 0;
		space_block(&graph->space, rank, &address, &length);
		if (address < end || length == 0)
			abort();
		end = address + length;
		if (!natures_knows(look->natures, natures_get(look->natures, rank)))
			abort();
	}
	error_destroy(error);
	lost_deinit(&lost);
	reach_deinit(&reach);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct chunk_file file = chunk_file_make(SNAP_KIND_SNAPSHOT, bytes, size);
	struct look look = { 0 };
	struct places *places = NULL;
	struct error *error = places_listed(&places);
	if (!error)
		error = snapshot_load(file.path,
				      LOOK_PLACES | LOOK_EDGE_PLACES | LOOK_HASH |
					      LOOK_ANSWERS,
				      &look, places);
	if (!error)
		check_graph(&look);
	error_destroy(error);
	look_deinit(&look);
	places_destroy(places);
	chunk_file_close(&file);
	return 0;
}
