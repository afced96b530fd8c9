/*
 * dominators: see dominators.h.
 *
 * Nodes are numbered from 1 in the order in which a depth-first search meets them; 0 is the
 * virtual root. All arrays but `numbers` go by these numbers. Most edges of a heap are those by which
 * the search comes to a block first; only the others are listed, as the search passes them.
 */
#include "graph/dominators.h"

#include <string.h>

#include "base/bitmap.h"

/* So far ahead results are fetched. */
#define AHEAD 16u

/* One more edge to a node than the one by which the search came there. */
struct holder {
	uint32_t from, next; /* next one's place + 1; 0: it is the last */
};

/* A node in the forest of nodes whose semidominators are known. */
struct link {
	uint32_t ancestor; /* the search's parent, then a shortcut towards the root */
	uint32_t least; /* semidominator from here to there; of a node outside, itself */
};

struct finder {
	const struct graph *graph;
	const struct entries *entries;
	uint32_t nr_blocks, nr_nodes;
	uint32_t nr, nr_live; /* nodes that have a number; those of them that are live */
	struct area numbers;  /* by node; 0: none */
	struct area vertices; /* nodes */
	struct area links;    /* struct link[] */
	struct area semis;    /* while searching: the edge to look at next */
	struct area idoms;    /* while searching: the end of the edges */
	struct area first;    /* of the holders of a node: its place + 1; 0: none */
	struct area holders;  /* struct holder[] */
	uint64_t nr_holders;
	struct area path;
	struct area is_top; /* bitmap: the virtual root's successors */
};

static uint32_t *words(const struct area *area)
{
	return area->memory;
}

static struct link *links(const struct finder *finder)
{
	return finder->links.memory;
}

static bool reserve(struct finder *finder)
{
	size_t nr = finder->nr_nodes;
	struct area *const arrays[] = {
		&finder->numbers, &finder->vertices, &finder->semis,
		&finder->idoms,   &finder->first,
	};
	for (size_t i = 0; i < ARRAY_SIZE(arrays); i++)
		if (!area_reserve(arrays[i], (nr + 1) * sizeof(uint32_t)))
			return false;
	return area_reserve(&finder->links, (nr + 1) * sizeof(struct link)) &&
	       area_reserve(&finder->is_top, bitmap_words(nr + 1) * 8);
}

/* --- numbering ------------------------------------------------------------------------ */

/* The edges of groups are numbered on behind those of the blocks. */
static uint32_t edge_at(const struct finder *finder, uint32_t index)
{
	uint64_t nr = finder->graph->nr_edges;
	return index < nr ? words(&finder->graph->edges)[index]
			  : words(&finder->entries->grouped)[index - nr];
}

static void fetch(const struct finder *finder, uint32_t rank)
{
	__builtin_prefetch(&words(&finder->numbers)[rank]);
	__builtin_prefetch(graph_row(finder->graph, rank));
}

static void set_run(struct finder *finder, uint32_t v, uint32_t node)
{
	const struct graph *graph = finder->graph;
	struct edge_run run;
	uint64_t start;
	if (node < finder->nr_blocks) {
		run = graph_run(graph, graph_row(graph, node), node);
		start = (uint64_t)(run.edges - words(&graph->edges));
	} else {
		run = entries_of_group(finder->entries, node - finder->nr_blocks);
		start = graph->nr_edges +
			(uint64_t)(run.edges - words(&finder->entries->grouped));
	}
	words(&finder->semis)[v] = (uint32_t)start;
	words(&finder->idoms)[v] = (uint32_t)(start + run.nr);
	/* What it leads to is on its way meanwhile. */
	for (uint64_t i = 0; i < run.nr && i < 8; i++)
		if (run.edges[i] != EDGE_NONE)
			fetch(finder, edge_rank(run.edges[i]));
}

static uint32_t number(struct finder *finder, uint32_t node, uint32_t parent)
{
	uint32_t v = ++finder->nr;
	words(&finder->numbers)[node] = v;
	words(&finder->vertices)[v] = node;
	links(finder)[v].ancestor = parent;
	set_run(finder, v, node);
	return v;
}

/* An edge to a node that has a number already. What is lost holds nothing that is live. */
static bool note_holder(struct finder *finder, uint32_t from, uint32_t to)
{
	if (from == to || (finder->nr_live && to <= finder->nr_live))
		return true;
	uint64_t place = finder->nr_holders;
	if (!area_reserve(&finder->holders, (place + 1) * sizeof(struct holder)))
		return false;
	((struct holder *)finder->holders.memory)[place] =
		(struct holder){ .from = from, .next = words(&finder->first)[to] };
	words(&finder->first)[to] = (uint32_t)++finder->nr_holders;
	return true;
}

static bool search_from(struct finder *finder, uint32_t top)
{
	const uint32_t *numbers = words(&finder->numbers);
	uint32_t *next = words(&finder->semis), *end = words(&finder->idoms);
	uint32_t at = numbers[top] ? 0 : number(finder, top, 0);
	while (at) {
		if (next[at] == end[at]) {
			at = links(finder)[at].ancestor;
			continue;
		}
		uint32_t edge = edge_at(finder, next[at]++);
		if (edge == EDGE_NONE)
			continue;
		uint32_t to = numbers[edge_rank(edge)];
		if (!to)
			at = number(finder, edge_rank(edge), at);
		else if (!note_holder(finder, at, to))
			return false;
	}
	bitmap_set(finder->is_top.memory, numbers[top]);
	return true;
}

static bool search(struct finder *finder)
{
	const struct entries *entries = finder->entries;
	const uint32_t *ranks = entries_ranks(entries);
	for (uint32_t i = 0; i < entries->nr_groups; i++)
		if (!search_from(finder, finder->nr_blocks + i))
			return false;
	for (uint32_t i = 0; i < entries->nr_live; i++)
		if (!entries->nr_groups || !bitmap_test(entries->is_grouped.memory, i))
			if (!search_from(finder, ranks[i]))
				return false;
	finder->nr_live = finder->nr;
	for (uint32_t i = entries->nr_live; i < entries->nr; i++)
		if (!search_from(finder, ranks[i]))
			return false;
	return true;
}

/* --- semidominators --------------------------------------------------------------------- */

/* The least semidominator on the way up from v, as far as nodes from `linked` on go; the way
   becomes short. */
static uint32_t evaluate(struct finder *finder, uint32_t v, uint32_t linked)
{
	struct link *link = links(finder);
	uint32_t *path = words(&finder->path), depth = 0;
	uint32_t at = v;
	for (; link[at].ancestor >= linked; at = link[at].ancestor)
		path[depth++] = at;
	uint32_t ancestor = link[at].ancestor, least = link[at].least;
	while (depth) {
		at = path[--depth];
		link[at].ancestor = ancestor;
		if (link[at].least < least)
			least = link[at].least;
		link[at].least = least;
	}
	return least;
}

/* The least semidominator that the holders of v give it. */
static uint32_t semi_by_holders(struct finder *finder, uint32_t v, uint32_t semi)
{
	const struct holder *holders = finder->holders.memory;
	uint32_t place = words(&finder->first)[v];
	while (place && semi) {
		const struct holder *holder = &holders[place - 1];
		uint32_t least = evaluate(finder, holder->from, v + 1);
		semi = least < semi ? least : semi;
		place = holder->next;
	}
	return semi;
}

static void find_semis(struct finder *finder)
{
	uint32_t *semis = words(&finder->semis);
	struct link *link = links(finder);
	for (uint32_t v = 1; v <= finder->nr; v++) {
		words(&finder->idoms)[v] = link[v].ancestor;
		link[v].least = v;
	}
	for (uint32_t v = finder->nr; v >= 1; v--) {
		bool is_top = bitmap_test(finder->is_top.memory, v);
		semis[v] = is_top ? 0 : semi_by_holders(finder, v, link[v].ancestor);
		link[v].least = semis[v];
	}
}

static void find_idoms(struct finder *finder)
{
	const uint32_t *semis = words(&finder->semis);
	uint32_t *idoms = words(&finder->idoms);
	for (uint32_t v = 1; v <= finder->nr; v++) {
		uint32_t idom = idoms[v], semi = semis[v];
		while (idom > semi)
			idom = idoms[idom];
		idoms[v] = idom;
	}
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
		if (v > AHEAD) {
			__builtin_prefetch(&parents[vertices[v - AHEAD]], 1);
			__builtin_prefetch(&retained[vertices[v - AHEAD]]);
		}
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
	if (!search(finder))
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
	area_release(&finder->links);
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
		&finder.numbers, &finder.vertices, &finder.links,
		&finder.semis,   &finder.idoms,    &finder.first,
		&finder.holders, &finder.path,     &finder.is_top,
	};
	for (size_t i = 0; i < ARRAY_SIZE(arrays); i++)
		area_release(arrays[i]);
	if (good)
		return NULL;
	dominators_deinit(dominators);
	return error_no_memory();
}

/* A block retains more than any of its children, for it has bytes of its own. So no way up comes
   back to a block, and one through a group ends there. */
bool dominators_are_tree(const struct dominators *dominators)
{
	const uint32_t *parents = words(&dominators->parents);
	const uint64_t *retained = dominators->retained.memory;
	uint32_t nr = dominators->nr, nr_blocks = dominators->nr_blocks;
	bool good = true;
	for (uint32_t node = 0; node < nr; node++) {
		uint32_t parent = parents[node];
		if (node + AHEAD < nr && parents[node + AHEAD] < nr)
			__builtin_prefetch(&retained[parents[node + AHEAD]]);
		if (parent == RANK_NONE)
			continue;
		good &= node < nr_blocks && parent < nr &&
			(parent >= nr_blocks || retained[parent] > retained[node]);
		if (!good)
			break;
	}
	return good;
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
