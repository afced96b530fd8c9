/*
 * dominators: see dominators.h.
 *
 * Nodes are numbered from 1 in the order in which a depth-first search meets them; 0 is the
 * virtual root. All arrays but `numbers` go by these numbers.
 */
#include "graph/dominators.h"

#include <string.h>

#include "base/bitmap.h"

/* So far ahead a number is fetched while edges pass. */
#define AHEAD 24u

struct finder {
	const struct graph *graph;
	const struct entries *entries;
	uint32_t nr_blocks, nr_nodes;
	uint32_t nr, nr_live; /* nodes that have a number; those of them that are live */
	struct area numbers;  /* by node; 0: none */
	struct area vertices; /* nodes */

	struct area ancestors; /* the search's parents, then shortcuts towards the root */
	struct area semis;     /* while searching: the edge to look at next */
	struct area labels;
	struct area idoms;
	struct area first,
		holders; /* who points to v: holders[first[v] … first[v + 1]] */
	struct area path;
	struct area is_top; /* bitmap: the virtual root's successors */
};

static uint32_t *words(const struct area *area)
{
	return area->memory;
}

static bool reserve(struct finder *finder)
{
	size_t nr = finder->nr_nodes;
	struct area *const arrays[] = {
		&finder->numbers, &finder->vertices, &finder->ancestors,
		&finder->semis,   &finder->labels,   &finder->idoms,
	};
	for (size_t i = 0; i < ARRAY_SIZE(arrays); i++)
		if (!area_reserve(arrays[i], (nr + 1) * sizeof(uint32_t)))
			return false;
	return area_reserve(&finder->first, (nr + 3) * sizeof(uint32_t)) &&
	       area_reserve(&finder->is_top, bitmap_words(nr + 1) * 8);
}

/* --- numbering ------------------------------------------------------------------------ */

static struct edge_run successors(const struct finder *finder, uint32_t node)
{
	if (node >= finder->nr_blocks)
		return entries_of_group(finder->entries, node - finder->nr_blocks);
	return graph_run(finder->graph, graph_row(finder->graph, node), node);
}

static uint32_t number(struct finder *finder, uint32_t node, uint32_t parent)
{
	uint32_t v = ++finder->nr;
	words(&finder->numbers)[node] = v;
	words(&finder->vertices)[v] = node;
	words(&finder->ancestors)[v] = parent;
	words(&finder->semis)[v] = 0;
	return v;
}

static void search_from(struct finder *finder, uint32_t top)
{
	const uint32_t *numbers = words(&finder->numbers);
	uint32_t at = numbers[top] ? 0 : number(finder, top, 0);
	while (at) {
		struct edge_run run = successors(finder, words(&finder->vertices)[at]);
		uint32_t *next = &words(&finder->semis)[at];
		while (*next < run.nr && (run.edges[*next] == EDGE_NONE ||
					  numbers[edge_rank(run.edges[*next])]))
			++*next;
		at = *next < run.nr ? number(finder, edge_rank(run.edges[(*next)++]), at)
				    : words(&finder->ancestors)[at];
	}
	bitmap_set(finder->is_top.memory, numbers[top]);
}

static void search(struct finder *finder)
{
	const struct entries *entries = finder->entries;
	const uint32_t *ranks = entries_ranks(entries);
	for (uint32_t i = 0; i < entries->nr_groups; i++)
		search_from(finder, finder->nr_blocks + i);
	for (uint32_t i = 0; i < entries->nr_live; i++)
		if (!entries->nr_groups || !bitmap_test(entries->is_grouped.memory, i))
			search_from(finder, ranks[i]);
	finder->nr_live = finder->nr;
	for (uint32_t i = entries->nr_live; i < entries->nr; i++)
		search_from(finder, ranks[i]);
}

/* --- who points to whom ---------------------------------------------------------------- */

typedef void pass_edge(struct finder *finder, uint32_t from, uint32_t to);

static inline void pass_run(struct finder *finder, uint32_t from, struct edge_run run,
			    pass_edge *pass)
{
	const uint32_t *numbers = words(&finder->numbers);
	for (uint64_t i = 0; i < run.nr; i++) {
		if (run.edges[i] == EDGE_NONE)
			continue;
		uint32_t to = numbers[edge_rank(run.edges[i])];
		bool is_kept = to && to != from &&
			       (from <= finder->nr_live || to > finder->nr_live);
		if (is_kept)
			pass(finder, from, to);
	}
}

/* All edges among numbered nodes; of blocks in the order in which they stand in memory. */
static inline void pass_edges(struct finder *finder, pass_edge *pass)
{
	const struct graph *graph = finder->graph;
	const uint32_t *numbers = words(&finder->numbers);
	const uint32_t *fetched = graph->edges.memory;
	const uint32_t *end = fetched + graph->nr_edges;
	for (uint32_t rank = 0; rank < finder->nr_blocks; rank++) {
		struct edge_run run = successors(finder, rank);
		for (; fetched < end && fetched < run.edges + run.nr + AHEAD; fetched++)
			if (*fetched != EDGE_NONE)
				__builtin_prefetch(&numbers[edge_rank(*fetched)]);
		if (numbers[rank])
			pass_run(finder, numbers[rank], run, pass);
	}
	for (uint32_t node = finder->nr_blocks; node < finder->nr_nodes; node++)
		pass_run(finder, numbers[node], successors(finder, node), pass);
}

static inline void count_holder(struct finder *finder, uint32_t from, uint32_t to)
{
	(void)from;
	words(&finder->first)[to + 2]++;
}

static inline void note_holder(struct finder *finder, uint32_t from, uint32_t to)
{
	words(&finder->holders)[words(&finder->first)[to + 1]++] = from;
}

static bool list_holders(struct finder *finder)
{
	pass_edges(finder, count_holder);
	uint32_t *first = words(&finder->first);
	for (uint32_t v = 0; v <= finder->nr; v++)
		first[v + 2] += first[v + 1];
	if (!area_reserve(&finder->holders,
			  ((size_t)first[finder->nr + 2] + 1) * sizeof(uint32_t)))
		return false;
	pass_edges(finder, note_holder);
	return true;
}

/* --- semidominators --------------------------------------------------------------------- */

/* The block of least semidominator on the way up from v, as far as blocks from `linked` on
   go; the way becomes short. */
static uint32_t evaluate(struct finder *finder, uint32_t v, uint32_t linked)
{
	uint32_t *ancestors = words(&finder->ancestors), *labels = words(&finder->labels);
	const uint32_t *semis = words(&finder->semis);
	if (ancestors[v] < linked)
		return labels[v];
	uint32_t *path = words(&finder->path), depth = 0;
	uint32_t at = v;
	for (; ancestors[at] >= linked; at = ancestors[at])
		path[depth++] = at;
	uint32_t above = at;
	uint32_t best = labels[at];
	while (depth) {
		at = path[--depth];
		ancestors[at] = ancestors[above];
		if (semis[labels[at]] < semis[best])
			best = labels[at];
		labels[at] = best;
	}
	return best;
}

static void find_semis(struct finder *finder)
{
	uint32_t *semis = words(&finder->semis);
	const uint32_t *ancestors = words(&finder->ancestors);
	const uint32_t *first = words(&finder->first), *holders = words(&finder->holders);
	for (uint32_t v = 1; v <= finder->nr; v++) {
		words(&finder->idoms)[v] = ancestors[v];
		words(&finder->labels)[v] = v;
		semis[v] = v;
	}
	for (uint32_t v = finder->nr; v >= 1; v--) {
		uint32_t semi = ancestors[v];
		if (bitmap_test(finder->is_top.memory, v))
			semi = 0;
		for (uint32_t i = first[v]; semi && i < first[v + 1]; i++) {
			uint32_t best = evaluate(finder, holders[i], v + 1);
			if (semis[best] < semi)
				semi = semis[best];
		}
		semis[v] = semi;
	}
}

static void find_idoms(struct finder *finder)
{
	const uint32_t *semis = words(&finder->semis);
	uint32_t *idoms = words(&finder->idoms);
	for (uint32_t v = 1; v <= finder->nr; v++)
		while (idoms[v] > semis[v])
			idoms[v] = idoms[idoms[v]];
}

/* --- results ------------------------------------------------------------------------- */

static void note_size(void *context, uint32_t rank, uint64_t address, uint64_t size)
{
	(void)address;
	((uint64_t *)context)[rank] = size;
}

static bool take_results(struct finder *finder, struct dominators *dominators)
{
	size_t nr = finder->nr_nodes;
	if (!area_reserve(&dominators->parents, (nr + 1) * sizeof(uint32_t)) ||
	    !area_reserve(&dominators->retained, (nr + 1) * sizeof(uint64_t)))
		return false;
	const uint32_t *vertices = words(&finder->vertices);
	const uint32_t *idoms = words(&finder->idoms);
	uint32_t *parents = words(&dominators->parents);
	uint64_t *retained = dominators->retained.memory;
	memset(parents, 0xff, nr * sizeof(*parents));
	space_each(&finder->graph->space, note_size, retained);
	for (uint32_t v = finder->nr; v >= 1; v--) {
		if (!idoms[v])
			continue;
		uint32_t node = vertices[v], parent = vertices[idoms[v]];
		parents[node] = parent;
		retained[parent] += retained[node];
	}
	dominators->nr_blocks = finder->nr_blocks;
	dominators->nr = finder->nr_nodes;
	dominators->nr_reached = finder->nr;
	return true;
}

static bool find(struct finder *finder, struct dominators *dominators)
{
	if (!reserve(finder))
		return false;
	search(finder);
	if (!list_holders(finder))
		return false;
	area_release(&finder->numbers);
	if (!area_reserve(&finder->path, ((size_t)finder->nr + 1) * sizeof(uint32_t)))
		return false;
	find_semis(finder);
	area_release(&finder->holders);
	area_release(&finder->path);
	find_idoms(finder);
	area_release(&finder->first);
	area_release(&finder->semis);
	area_release(&finder->labels);
	area_release(&finder->ancestors);
	return take_results(finder, dominators);
}

struct error *dominators_find(const struct graph *graph, const struct entries *entries,
			      struct dominators *dominators)
{
	*dominators = (struct dominators){ 0 };
	if (graph->nr_edges + graph->places.roots.nr > UINT32_MAX)
		return error_create(ERROR_REFUSED, "the heap has more than %u pointers",
				    UINT32_MAX);
	struct finder finder = {
		.graph = graph,
		.entries = entries,
		.nr_blocks = (uint32_t)graph->nr_blocks,
		.nr_nodes = (uint32_t)graph->nr_blocks + entries->nr_groups,
	};
	bool good = find(&finder, dominators);
	struct area *const arrays[] = {
		&finder.numbers, &finder.vertices, &finder.ancestors, &finder.semis,
		&finder.labels,  &finder.idoms,    &finder.first,     &finder.holders,
		&finder.path,    &finder.is_top,
	};
	for (size_t i = 0; i < ARRAY_SIZE(arrays); i++)
		area_release(arrays[i]);
	if (good)
		return NULL;
	dominators_deinit(dominators);
	return error_no_memory();
}

void dominators_deinit(struct dominators *dominators)
{
	area_release(&dominators->parents);
	area_release(&dominators->retained);
	*dominators = (struct dominators){ 0 };
}

/* --- the tree ------------------------------------------------------------------------ */

struct error *dominator_tree_make(const struct dominators *dominators,
				  struct dominator_tree *tree)
{
	uint32_t nr = dominators->nr;
	const uint32_t *parents = dominators->parents.memory;
	*tree = (struct dominator_tree){ .nr = nr };
	if (!area_reserve(&tree->first, ((size_t)nr + 3) * sizeof(uint32_t)) ||
	    !area_reserve(&tree->children, ((size_t)nr + 1) * sizeof(uint32_t))) {
		dominator_tree_deinit(tree);
		return error_no_memory();
	}
	uint32_t *first = tree->first.memory, *children = tree->children.memory;
	for (uint32_t i = 0; i < nr; i++)
		first[(parents[i] == RANK_NONE ? nr : parents[i]) + 2]++;
	for (uint32_t i = 0; i <= nr; i++)
		first[i + 2] += first[i + 1];
	for (uint32_t i = 0; i < nr; i++)
		children[first[(parents[i] == RANK_NONE ? nr : parents[i]) + 1]++] = i;
	return NULL;
}

void dominator_tree_deinit(struct dominator_tree *tree)
{
	area_release(&tree->first);
	area_release(&tree->children);
	*tree = (struct dominator_tree){ 0 };
}

struct level {
	uint32_t node, next; /* the child to enter next */
};
DEFINE_VEC(level_vec, struct level);

struct error *dominator_tree_walk(const struct dominator_tree *tree,
				  struct dominator_visitor *visitor)
{
	struct level_vec path = { 0 };
	bool good = level_vec_push(&path, (struct level){ .node = tree->nr });
	while (good && path.nr) {
		struct level *level = &path.items[path.nr - 1];
		uint32_t nr = 0;
		const uint32_t *children =
			dominator_tree_children(tree, level->node, &nr);
		if (level->next < nr) {
			uint32_t node = children[level->next++];
			visitor->enter(visitor, node);
			good = level_vec_push(&path, (struct level){ .node = node });
			continue;
		}
		if (level->node != tree->nr)
			visitor->leave(visitor, level->node);
		path.nr--;
	}
	level_vec_deinit(&path);
	return good ? NULL : error_no_memory();
}
