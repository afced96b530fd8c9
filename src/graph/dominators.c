/*
 * dominators: see dominators.h.
 *
 * Nodes are numbered from 1 in the order in which a depth-first search meets them; 0 is the
 * virtual root. All arrays but `numbers` go by these numbers. Most edges of a heap are those by which
 * the search comes to a block first; only the others are listed, as the search passes them. The fringe
 * is not searched.
 */
#include "graph/dominators.h"

#include <string.h>

#include "base/beside.h"
#include "base/bitmap.h"
#include "graph/fringe.h"

/* So far ahead results are fetched. */
#define AHEAD 16u

/* One more edge to a node than the one by which the search came there. */
struct holder {
	uint32_t from;
	uint32_t
		next; /* next one's place + 1; 0: it is the last. While searching: the node */
};

/* A node on the search's way, and its edges that are still to be looked at. */
struct step {
	const uint32_t *next;
	uint64_t left;
	uint32_t v;
};

/* A node in the forest of nodes whose semidominators are known. */
struct link {
	uint32_t ancestor; /* the search's parent, then a shortcut towards the root */
	uint32_t least; /* semidominator from here to there; of a node outside, itself */
};

struct finder {
	const struct graph *graph;
	const struct entries *entries;
	struct fringe fringe;
	uint32_t *parents;  /* the result's; while searching, of the fringe alone */
	uint64_t *retained; /* the result's */
	uint32_t nr_blocks, nr_nodes;
	uint32_t nr, nr_live; /* nodes that have a number; those of them that are live */
	struct area numbers;  /* by node; 0: none */
	struct area is_met;   /* bitmap by node: has a number, or is in the fringe */
	struct area vertices; /* nodes */
	struct area links;    /* struct link[] */
	struct area steps;    /* struct step[depth] */
	size_t depth;
	struct area semis;
	struct area idoms;
	struct area first;   /* of the holders of a node: its place + 1; 0: none */
	struct area holders; /* struct holder[] */
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
	size_t nr_nodes = finder->nr_nodes, nr = nr_nodes - finder->fringe.nr;
	return area_reserve(&finder->vertices, (nr + 1) * sizeof(uint32_t)) &&
	       area_reserve(&finder->first, (nr + 1) * sizeof(uint32_t)) &&
	       area_reserve(&finder->numbers, (nr_nodes + 1) * sizeof(uint32_t)) &&
	       area_reserve(&finder->is_met, bitmap_words(nr_nodes + 1) * 8) &&
	       area_reserve(&finder->links, (nr + 1) * sizeof(struct link)) &&
	       area_reserve(&finder->is_top, bitmap_words(nr + 1) * 8);
}

/* What is in the fringe counts as met before the search. */
static void meet_fringe(struct finder *finder)
{
	memcpy(finder->is_met.memory, finder->fringe.is_in.memory,
	       bitmap_words(finder->nr_blocks) * 8);
}

static bool is_met(const struct finder *finder, uint32_t node)
{
	return bitmap_test(finder->is_met.memory, node);
}

static void note_size(void *context, uint32_t rank, uint64_t address, uint64_t size)
{
	(void)address;
	((uint64_t *)context)[rank] = size;
}

/* What each block retains at least. */
static void note_sizes(void *context)
{
	const struct finder *finder = context;
	space_each(&finder->graph->space, note_size, finder->retained);
}

/* --- numbering ------------------------------------------------------------------------ */

static struct edge_run run_of(const struct finder *finder, uint32_t node)
{
	const struct graph *graph = finder->graph;
	return node < finder->nr_blocks
		       ? graph_run(graph, graph_row(graph, node), node)
		       : entries_of_group(finder->entries, node - finder->nr_blocks);
}

/* The rows of what it leads to are on their way meanwhile. */
static void fetch_rows(const struct finder *finder, const struct edge_run *run)
{
	for (uint64_t i = 0; i < run->nr && i < 8; i++)
		if (run->edges[i] != EDGE_NONE &&
		    !is_met(finder, edge_rank(run->edges[i])))
			__builtin_prefetch(
				graph_row(finder->graph, edge_rank(run->edges[i])));
}

/* The edges of the node that will most probably come after the one that comes now. */
static void fetch_edges(const struct finder *finder, const struct step *step)
{
	uint32_t edge = step->left ? *step->next : EDGE_NONE;
	if (edge != EDGE_NONE && !is_met(finder, edge_rank(edge)))
		__builtin_prefetch(run_of(finder, edge_rank(edge)).edges);
}

static bool enter(struct finder *finder, uint32_t node, uint32_t parent)
{
	uint32_t v = ++finder->nr;
	bitmap_set(finder->is_met.memory, node);
	words(&finder->numbers)[node] = v;
	words(&finder->vertices)[v] = node;
	links(finder)[v].ancestor = parent;
	size_t bytes = (finder->depth + 1) * sizeof(struct step);
	if (!area_reserve(&finder->steps, bytes))
		return false;
	struct edge_run run = run_of(finder, node);
	((struct step *)finder->steps.memory)[finder->depth++] =
		(struct step){ .next = run.edges, .left = run.nr, .v = v };
	fetch_rows(finder, &run);
	return true;
}

/* An edge to a node that is met already: it is in the fringe, or has one more holder. */
static bool note_holder(struct finder *finder, uint32_t from, uint32_t node)
{
	if (bitmap_test(finder->fringe.is_in.memory, node)) {
		finder->parents[node] = words(&finder->vertices)[from];
		return true;
	}
	size_t bytes = (finder->nr_holders + 1) * sizeof(struct holder);
	if (!area_reserve(&finder->holders, bytes))
		return false;
	((struct holder *)finder->holders.memory)[finder->nr_holders++] =
		(struct holder){ .from = from, .next = node };
	return true;
}

static bool search_from(struct finder *finder, uint32_t top)
{
	bool good = is_met(finder, top) || enter(finder, top, 0);
	while (good && finder->depth) {
		struct step *step =
			(struct step *)finder->steps.memory + finder->depth - 1;
		if (!step->left--) {
			finder->depth--;
			continue;
		}
		uint32_t edge = *step->next++;
		if (edge == EDGE_NONE)
			continue;
		if (is_met(finder, edge_rank(edge))) {
			good = note_holder(finder, step->v, edge_rank(edge));
			continue;
		}
		fetch_edges(finder, step);
		good = enter(finder, edge_rank(edge), step->v);
	}
	bitmap_set(finder->is_top.memory, words(&finder->numbers)[top]);
	return good;
}

/* What is lost holds nothing that is live. */
static bool is_holder(const struct finder *finder, uint32_t from, uint32_t to)
{
	return from != to && (from <= finder->nr_live || to > finder->nr_live);
}

/* Lists the holders by what they hold. */
static void list_holders(struct finder *finder)
{
	const uint32_t *numbers = words(&finder->numbers);
	struct holder *holders = finder->holders.memory;
	uint32_t *first = words(&finder->first);
	for (uint64_t i = 0; i < finder->nr_holders; i++) {
		if (i + 2 * AHEAD < finder->nr_holders)
			__builtin_prefetch(&numbers[holders[i + 2 * AHEAD].next]);
		if (i + AHEAD < finder->nr_holders)
			__builtin_prefetch(&first[numbers[holders[i + AHEAD].next]], 1);
		uint32_t to = numbers[holders[i].next];
		if (!is_holder(finder, holders[i].from, to))
			continue;
		holders[i].next = first[to];
		first[to] = (uint32_t)i + 1;
	}
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
	list_holders(finder);
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

/* What the search will ask of v: its first holder far ahead, then where that one stands. */
static void fetch_holder(const struct finder *finder, uint32_t v)
{
	const struct holder *holders = finder->holders.memory;
	const uint32_t *first = words(&finder->first);
	if (v > 2 * AHEAD && first[v - 2 * AHEAD])
		__builtin_prefetch(&holders[first[v - 2 * AHEAD] - 1]);
	if (v > AHEAD && first[v - AHEAD])
		__builtin_prefetch(&links(finder)[holders[first[v - AHEAD] - 1].from], 1);
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
		fetch_holder(finder, v);
		semis[v] = is_top ? 0 : semi_by_holders(finder, v, link[v].ancestor);
		link[v].least = semis[v];
	}
}

/* A way up the tree that is found so far; of each node one long step besides the one to its dominator:
   E. W. Myers, "An applicative random-access stack", Information Processing Letters 17(5), 1983. */
struct stride {
	uint32_t to, depth;
};

static struct stride stride_from(const struct stride *strides, uint32_t idom)
{
	struct stride last = strides[idom];
	bool is_even = last.depth - strides[last.to].depth ==
		       strides[last.to].depth - strides[strides[last.to].to].depth;
	return (struct stride){
		.to = is_even ? strides[last.to].to : idom,
		.depth = last.depth + 1,
	};
}

/* The semidominators' tree, whose nearest nodes up the way are the dominators. */
static void find_idoms(struct finder *finder)
{
	const uint32_t *semis = words(&finder->semis);
	uint32_t *idoms = words(&finder->idoms);
	struct stride *strides = finder->links.memory;
	strides[0] = (struct stride){ 0 };
	for (uint32_t v = 1; v <= finder->nr; v++) {
		uint32_t idom = idoms[v], semi = semis[v];
		if (v + AHEAD <= finder->nr) {
			__builtin_prefetch(&idoms[idoms[v + AHEAD]]);
			__builtin_prefetch(&strides[idoms[v + AHEAD]]);
		}
		while (idom > semi)
			idom = strides[idom].to >= semi ? strides[idom].to : idoms[idom];
		idoms[v] = idom;
		strides[v] = stride_from(strides, idom);
	}
}

/* --- results ------------------------------------------------------------------------- */

/* What the fringe retains, and its holders by it; how much of it is reached. */
static uint32_t sum_fringe(const struct finder *finder)
{
	const uint32_t *order = words(&finder->fringe.order), *parents = finder->parents;
	uint64_t *retained = finder->retained;
	uint32_t nr = finder->fringe.nr, nr_reached = 0;
	for (uint32_t i = 0; i < nr; i++) {
		if (i + 2 * AHEAD < nr)
			__builtin_prefetch(&parents[order[i + 2 * AHEAD]]);
		if (i + AHEAD < nr && parents[order[i + AHEAD]] != RANK_NONE)
			__builtin_prefetch(&retained[parents[order[i + AHEAD]]], 1);
		if (parents[order[i]] == RANK_NONE)
			continue;
		retained[parents[order[i]]] += retained[order[i]];
		nr_reached++;
	}
	return nr_reached;
}

static void sum_searched(const struct finder *finder)
{
	const uint32_t *vertices = words(&finder->vertices);
	const uint32_t *idoms = words(&finder->idoms);
	uint32_t *parents = finder->parents;
	uint64_t *retained = finder->retained;
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
}

static bool number_all(struct finder *finder)
{
	if (!reserve(finder))
		return false;
	meet_fringe(finder);
	bool good = search(finder);
	area_release(&finder->numbers);
	area_release(&finder->is_met);
	area_release(&finder->steps);
	return good;
}

static bool find_tree(struct finder *finder)
{
	struct area *const arrays[] = { &finder->path, &finder->semis, &finder->idoms };
	for (size_t i = 0; i < ARRAY_SIZE(arrays); i++)
		if (!area_reserve(arrays[i], ((size_t)finder->nr + 1) * sizeof(uint32_t)))
			return false;
	find_semis(finder);
	area_release(&finder->holders);
	area_release(&finder->path);
	find_idoms(finder);
	return true;
}

static bool find(struct finder *finder, struct dominators *dominators)
{
	size_t nr = (size_t)finder->nr_nodes + 1;
	if (!area_reserve(&dominators->parents, nr * sizeof(uint32_t)) ||
	    !area_reserve(&dominators->retained, nr * sizeof(uint64_t)))
		return false;
	finder->parents = dominators->parents.memory;
	finder->retained = dominators->retained.memory;
	memset(finder->parents, 0xff, nr * sizeof(uint32_t));
	if (!fringe_find(finder->graph, finder->entries, finder->parents,
			 &finder->fringe) ||
	    !number_all(finder))
		return false;
	struct beside sizes;
	beside_start(&sizes, note_sizes, finder);
	bool good = find_tree(finder);
	beside_finish(&sizes);
	if (!good)
		return false;
	dominators->nr_reached = finder->nr + sum_fringe(finder);
	sum_searched(finder);
	dominators->nr_blocks = finder->nr_blocks;
	dominators->nr = finder->nr_nodes;
	return true;
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
	fringe_deinit(&finder.fringe);
	struct area *const arrays[] = {
		&finder.numbers, &finder.vertices, &finder.links,   &finder.semis,
		&finder.idoms,   &finder.first,    &finder.holders, &finder.path,
		&finder.is_top,  &finder.is_met,   &finder.steps,
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

/* So many siblings are expected. */
#define SIBLINGS 4u

static void expect(const struct dominator_tree *tree, struct dominator_visitor *visitor,
		   uint32_t node)
{
	__builtin_prefetch((const uint32_t *)tree->first.memory + node);
	if (visitor->expect)
		visitor->expect(visitor, node);
}

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
			for (uint32_t i = level->next ? SIBLINGS - 1 : 0;
			     i < SIBLINGS && level->next + i < nr; i++)
				expect(tree, visitor, children[level->next + i]);
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
