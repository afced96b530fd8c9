/* heap: see heap.h. */
#include "query/heap.h"

#include <string.h>

#include "analyse/leaks.h"
#include "base/bitmap.h"

/* --- what is found out on demand ------------------------------------------------------ */

static struct error *find_types(struct query_heap *heap)
{
	struct error *error = block_table_make(heap->look, GROUP_BY_TYPE, &heap->types);
	for (size_t i = 0; !error && i < heap->types.rows.nr; i++) {
		char *name = block_table_name(&heap->types, (uint32_t)i);
		if (name && query_name_vec_push(&heap->type_names, name))
			continue;
		free(name);
		error = error_no_memory();
	}
	return error;
}

static void count_block(void *context, uint32_t rank, uint64_t address, uint64_t size)
{
	(void)address;
	struct query_heap *heap = context;
	struct query_type_count *counts = heap->type_counts.memory;
	struct query_type_count *count = &counts[block_table_type(&heap->types, rank)];
	count->blocks++;
	count->bytes += size;
}

static struct error *count_types(struct query_heap *heap)
{
	size_t nr = heap->types.rows.nr;
	if (!area_reserve(&heap->type_counts, (nr + 1) * sizeof(struct query_type_count)))
		return error_no_memory();
	space_each(&heap->graph->space, count_block, heap);
	return NULL;
}

static void count_site(void *context, uint32_t rank, uint64_t address, uint64_t size)
{
	(void)address;
	struct query_heap *heap = context;
	const struct block_sites *sites = &heap->look->sites;
	const struct block_request *request = block_request(sites, rank);
	struct query_site_count *counts = heap->site_counts.memory;
	struct query_site_count *count = &counts[block_site(sites, rank)];
	count->blocks++;
	count->bytes += size;
	count->requested += request ? request->size : 0;
}

static struct error *count_sites(struct query_heap *heap)
{
	size_t nr = heap->look->sites.sites.nr;
	if (!area_reserve(&heap->site_counts, (nr + 1) * sizeof(struct query_site_count)))
		return error_no_memory();
	space_each(&heap->graph->space, count_site, heap);
	return NULL;
}

static struct error *find_groups(struct query_heap *heap)
{
	struct error *error = root_groups_make(
		heap->look, heap->inspection.source->places, &heap->groups);
	for (size_t i = 0; !error && i < heap->groups.groups.nr; i++)
		if (!query_name_vec_push(&heap->group_names, NULL))
			error = error_no_memory();
	return error;
}

static struct error *find_dominators(struct query_heap *heap)
{
	/* What was reached before what unread memory may hold joined it. */
	const uint64_t *live = reach_sure(&heap->inspection.reach);
	const struct rank_vec *doubted = &heap->look->doubted;
	struct error *error = lost_find(heap->graph, live, &heap->lost);
	if (!error)
		error = entries_find(heap->graph, live, doubted->items,
				     (uint32_t)doubted->nr, &heap->lost, &heap->entries);
	if (!error)
		error = entries_group(heap->groups.roots,
				      root_groups_numbers(&heap->groups),
				      (uint32_t)heap->groups.groups.nr, &heap->entries);
	return error ? error
		     : dominators_find(heap->graph, &heap->entries, &heap->dominators);
}

static struct error *make_tree(struct query_heap *heap)
{
	return dominator_tree_make(&heap->dominators, &heap->tree);
}

/* Marks a node while its keeper is being looked for above it. */
#define KEEPER_UNKNOWN UINT32_MAX

/* The keeper of a node's parent, and then of all nodes on the way there. */
static void find_keeper(const struct dominators *dominators, uint32_t *keepers,
			uint32_t node)
{
	uint32_t above = node;
	while (above != RANK_NONE && keepers[above] == KEEPER_UNKNOWN)
		above = dominators_parent(dominators, above);
	uint32_t keeper = above == RANK_NONE ? 0 : keepers[above];
	while (node != above) {
		keepers[node] = keeper;
		node = dominators_parent(dominators, node);
	}
}

static struct error *find_keepers(struct query_heap *heap)
{
	const struct dominators *dominators = &heap->dominators;
	size_t bytes = (dominators->nr + 1) * sizeof(uint32_t);
	if (!area_reserve(&heap->keepers, bytes))
		return error_no_memory();
	uint32_t *keepers = heap->keepers.memory;
	memset(keepers, 0xff, bytes);
	for (uint32_t node = dominators->nr_blocks; node < dominators->nr; node++)
		keepers[node] = node - dominators->nr_blocks + 1;
	for (uint32_t node = 0; node < dominators->nr_blocks; node++)
		find_keeper(dominators, keepers, node);
	return NULL;
}

static struct error *find_holders(struct query_heap *heap)
{
	return heap->graph->nr_edges > HOLDERS_MOST
		       ? NULL
		       : holders_of_edges(heap->graph, &heap->holders);
}

static struct error *find_holding_roots(struct query_heap *heap)
{
	return holders_of_roots(heap->graph, query_heap_roots(heap),
				&heap->holding_roots);
}

/* In the order in which they need each other. */
static const struct {
	enum query_need need;
	unsigned others;
	struct error *(*find)(struct query_heap *heap);
} finders[] = {
	{ NEED_TYPES, 0, find_types },
	{ NEED_TYPE_COUNTS, NEED_TYPES, count_types },
	{ NEED_SITE_COUNTS, 0, count_sites },
	{ NEED_GROUPS, 0, find_groups },
	{ NEED_DOMINATORS, NEED_GROUPS, find_dominators },
	{ NEED_TREE, NEED_DOMINATORS, make_tree },
	{ NEED_KEEPERS, NEED_DOMINATORS, find_keepers },
	{ NEED_HOLDERS, 0, find_holders },
	{ NEED_HOLDING_ROOTS, 0, find_holding_roots },
};

struct error *query_heap_find(struct query_heap *heap, unsigned needs)
{
	for (size_t i = ARRAY_SIZE(finders); i > 0; i--)
		if (needs & finders[i - 1].need)
			needs |= finders[i - 1].others;
	struct error *error = NULL;
	needs &= ~heap->known;
	for (size_t i = 0; !error && i < ARRAY_SIZE(finders); i++) {
		if (!(needs & finders[i].need))
			continue;
		error = finders[i].find(heap);
		heap->known |= error ? 0 : finders[i].need;
	}
	return error;
}

/* --- what is known -------------------------------------------------------------------- */

static bool is_leader(const struct lost *lost, uint32_t rank)
{
	size_t low = 0, high = lost->roots.nr;
	while (low < high) {
		size_t middle = (low + high) / 2;
		if (lost->roots.items[middle].leader < rank)
			low = middle + 1;
		else
			high = middle;
	}
	return low < lost->roots.nr && lost->roots.items[low].leader == rank;
}

const char *query_heap_kind(const struct query_heap *heap, uint32_t rank)
{
	const struct inspection *inspection = &heap->inspection;
	enum leak_kind kind = LEAK_INDIRECT;
	if (bitmap_test(reach_sure(&inspection->reach), rank))
		kind = LEAK_REACHABLE;
	else if (bitmap_test(inspection->reach.any.memory, rank))
		kind = LEAK_POSSIBLE;
	else if (is_leader(&inspection->lost, rank))
		kind = LEAK_DEFINITE;
	return leak_kind_names[kind];
}

const char *query_heap_type(const struct query_heap *heap, uint32_t rank)
{
	return heap->type_names.items[block_table_type(&heap->types, rank)];
}

const char *query_heap_group(struct query_heap *heap, uint32_t group)
{
	char **name = &heap->group_names.items[group];
	if (!*name)
		*name = root_groups_name(&heap->groups, group);
	return *name;
}

/* --- looking -------------------------------------------------------------------------- */

void query_heap_init(struct query_heap *heap)
{
	*heap = (struct query_heap){ 0 };
	heap->look = &heap->inspection.look;
	heap->graph = &heap->inspection.look.graph;
}

struct error *query_heap_open(const struct source_options *options, unsigned needs,
			      bool types, struct query_heap *heap)
{
	struct source_options source = *options;
	source.finds_types = types;
	source.counts_mappings = options->pid && (needs & NEED_MAPPINGS);
	const struct look_options look_options = {
		.flags = LOOK_CLASSIFY | LOOK_PLACES | LOOK_EDGE_PLACES |
			 (types ? LOOK_TYPES : 0) |
			 (source.counts_mappings ? LOOK_MAPPINGS : 0),
		.max_count_ns = (uint64_t)options->max_pause_ms * 1000000,
	};
	struct error *error = source_open(&source, &heap->inspection.source);
	if (!error)
		error = inspection_look(&heap->inspection, &look_options, false);
	return error;
}

static void names_deinit(struct query_name_vec *names)
{
	for (size_t i = 0; i < names->nr; i++)
		free(names->items[i]);
	query_name_vec_deinit(names);
}

void query_heap_close(struct query_heap *heap)
{
	struct source *source = heap->inspection.source;
	holders_deinit(&heap->holding_roots);
	holders_deinit(&heap->holders);
	area_release(&heap->keepers);
	dominator_tree_deinit(&heap->tree);
	dominators_deinit(&heap->dominators);
	entries_deinit(&heap->entries);
	lost_deinit(&heap->lost);
	names_deinit(&heap->group_names);
	root_groups_deinit(&heap->groups);
	area_release(&heap->site_counts);
	area_release(&heap->type_counts);
	names_deinit(&heap->type_names);
	block_table_deinit(&heap->types);
	inspection_deinit(&heap->inspection);
	error_destroy(heap->error);
	source_close(source);
}
