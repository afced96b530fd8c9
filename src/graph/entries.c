/* entries: see entries.h. */
#include "graph/entries.h"

#include "base/bitmap.h"

static void add(struct entries *entries, uint64_t *met, uint32_t rank)
{
	if (bitmap_claim(met, rank))
		((uint32_t *)entries->ranks.memory)[entries->nr++] = rank;
}

struct error *entries_find(const struct graph *graph, const uint64_t *live,
			   const uint32_t *doubted, uint32_t nr_doubted,
			   const struct lost *lost, struct entries *entries)
{
	*entries = (struct entries){ .live = live };
	struct area met = { 0 };
	size_t most = graph->roots.nr + nr_doubted + lost->roots.nr;
	if (!area_reserve(&met, bitmap_words(graph->nr_blocks + 1) * 8) ||
	    !area_reserve(&entries->ranks, (most + 1) * sizeof(uint32_t))) {
		area_release(&met);
		entries_deinit(entries);
		return error_no_memory();
	}
	for (size_t i = 0; i < graph->roots.nr; i++)
		add(entries, met.memory, edge_rank(graph->roots.items[i].edge));
	for (uint32_t i = 0; i < nr_doubted; i++)
		add(entries, met.memory, doubted[i]);
	entries->nr_live = entries->nr;
	for (size_t i = 0; i < lost->roots.nr; i++)
		add(entries, met.memory, lost->roots.items[i].leader);
	area_release(&met);
	return NULL;
}

void entries_deinit(struct entries *entries)
{
	area_release(&entries->ranks);
	*entries = (struct entries){ 0 };
}
