/* removal: see removal.h. */
#include "graph/removal.h"

#include "base/bitmap.h"

#define AHEAD 16u

struct walk {
	const struct graph *graph;
	const struct entries *entries;
	const uint64_t *removed;
	uint64_t *left;
	struct area queue; /* uint32_t[] */
	uint64_t tail;
};

static inline void meet(struct walk *walk, uint32_t rank)
{
	if (walk->removed && bitmap_test(walk->removed, rank))
		return;
	if (bitmap_claim(walk->left, rank))
		((uint32_t *)walk->queue.memory)[walk->tail++] = rank;
}

/* Meets what the blocks from `head` on in the queue reach; if `lost_only`, as far as it was not
   live. */
static void spread(struct walk *walk, uint64_t head, bool lost_only)
{
	const uint32_t *queue = walk->queue.memory;
	for (; head < walk->tail; head++) {
		if (head + AHEAD < walk->tail)
			__builtin_prefetch(graph_row(walk->graph, queue[head + AHEAD]));
		uint64_t nr = 0;
		const uint32_t *edges = graph_edges(walk->graph, queue[head], &nr);
		for (uint64_t i = 0; i < nr; i++) {
			if (edges[i] == EDGE_NONE)
				continue;
			uint32_t rank = edge_rank(edges[i]);
			if (!lost_only || !bitmap_test(walk->entries->live, rank))
				meet(walk, rank);
		}
	}
}

static void reach_left(struct walk *walk, const uint64_t *entries_left)
{
	const uint32_t *ranks = entries_ranks(walk->entries);
	for (uint32_t i = 0; i < walk->entries->nr_live; i++)
		if (!entries_left || bitmap_test(entries_left, i))
			meet(walk, ranks[i]);
	spread(walk, 0, false);
	uint64_t head = walk->tail;
	for (uint32_t i = walk->entries->nr_live; i < walk->entries->nr; i++)
		if (!entries_left || bitmap_test(entries_left, i))
			meet(walk, ranks[i]);
	spread(walk, head, true);
}

struct counter {
	const uint64_t *left;
	struct retained_set *set;
};

static void count(void *context, uint32_t rank, uint64_t address, uint64_t size)
{
	(void)address;
	struct counter *counter = context;
	if (bitmap_test(counter->left, rank))
		return;
	counter->set->blocks++;
	counter->set->bytes += size;
}

struct error *removal_retained(const struct graph *graph, const struct entries *entries,
			       const struct removal *removal, struct retained_set *set)
{
	*set = (struct retained_set){ 0 };
	struct walk walk = {
		.graph = graph,
		.entries = entries,
		.removed = removal->blocks,
	};
	bool good = area_reserve(&set->left, bitmap_words(graph->nr_blocks + 1) * 8) &&
		    area_reserve(&walk.queue, (graph->nr_blocks + 1) * sizeof(uint32_t));
	if (good) {
		walk.left = set->left.memory;
		reach_left(&walk, removal->entries);
		struct counter counter = { .left = walk.left, .set = set };
		space_each(&graph->space, count, &counter);
	}
	area_release(&walk.queue);
	if (good)
		return NULL;
	retained_set_deinit(set);
	return error_no_memory();
}

void retained_set_deinit(struct retained_set *set)
{
	area_release(&set->left);
	*set = (struct retained_set){ 0 };
}
