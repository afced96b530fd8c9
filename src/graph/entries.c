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

struct error *entries_group(const struct graph_root_vec *roots, const uint32_t *groups,
			    uint32_t nr_groups, struct entries *entries)
{
	struct area met = { 0 };
	uint32_t highest = 0;
	for (uint32_t i = 0; i < entries->nr; i++)
		if (entries_ranks(entries)[i] > highest)
			highest = entries_ranks(entries)[i];
	if (!area_reserve(&entries->first, ((size_t)nr_groups + 2) * sizeof(uint32_t)) ||
	    !area_reserve(&entries->grouped, (roots->nr + 1) * sizeof(uint32_t)) ||
	    !area_reserve(&entries->is_grouped, bitmap_words(entries->nr + 1u) * 8) ||
	    !area_reserve(&met, bitmap_words((size_t)highest + 1) * 8)) {
		area_release(&met);
		return error_no_memory();
	}
	uint32_t *first = entries->first.memory, *grouped = entries->grouped.memory;
	for (size_t i = 0; i < roots->nr; i++)
		if (groups[i] != RANK_NONE)
			first[groups[i] + 2]++;
	for (uint32_t g = 0; g + 1 < nr_groups; g++)
		first[g + 2] += first[g + 1];
	for (size_t i = 0; i < roots->nr; i++) {
		if (groups[i] == RANK_NONE)
			continue;
		uint32_t rank = edge_rank(roots->items[i].edge);
		grouped[first[groups[i] + 1]++] = edge_make(rank, EDGE_START);
		if (rank <= highest)
			bitmap_set(met.memory, rank);
	}
	for (uint32_t i = 0; i < entries->nr_live; i++)
		if (bitmap_test(met.memory, entries_ranks(entries)[i]))
			bitmap_set(entries->is_grouped.memory, i);
	entries->nr_groups = nr_groups;
	area_release(&met);
	return NULL;
}

void entries_deinit(struct entries *entries)
{
	area_release(&entries->first);
	area_release(&entries->grouped);
	area_release(&entries->is_grouped);
	area_release(&entries->ranks);
	*entries = (struct entries){ 0 };
}
