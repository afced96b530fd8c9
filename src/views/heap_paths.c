/*
 * heap_paths: what keeps a block alive: ways from roots to it, one through each block or root
 * that holds it, the shortest first. Of a type the shortest ways to its blocks, merged: how many
 * of them lead through each place.
 */
#include "views/heap_asked.h"

#include <stdlib.h>
#include <string.h>

#include "base/bitmap.h"
#include "base/hash.h"
#include "base/wildcard.h"
#include "graph/paths.h"

/* Longer ways are told with their middle left out. */
#define STEPS_MAX 40u

enum { OFFSET, ADDRESS, RETAINED, LEADING, FIELD, NAME, NR_COLUMNS };

static const struct heap_column columns[] = {
	[OFFSET] = { "offset", "at", HEAP_COUNT },
	[ADDRESS] = { "address", "address", HEAP_ADDRESS },
	[RETAINED] = { "retained_bytes", "retained", HEAP_BYTES },
	[LEADING] = { "blocks_behind", NULL, HEAP_COUNT },
	[FIELD] = { "field", NULL, HEAP_TEXT },
	[NAME] = { "name", "name", HEAP_TEXT },
};

/* --- what ways avoid ----------------------------------------------------------------- */

static bool has_excludes(const struct heap_question *question)
{
	const char *const *patterns = question->options->excludes;
	return patterns && *patterns;
}

static bool is_excluded(const struct heap_question *question, const char *name)
{
	const char *const *pattern = question->options->excludes;
	for (; pattern && *pattern; pattern++)
		if (wildcard_matches(*pattern, name) ||
		    wildcard_matches(*pattern, heap_short_name(name)))
			return true;
	return false;
}

static struct error *exclude_blocks(struct heap_question *question, struct area *removed)
{
	const struct block_table *table = &question->table;
	bool *out = calloc(table->rows.nr + 1, sizeof(*out));
	struct error *error = NULL;
	if (!out ||
	    !area_reserve(removed, bitmap_words(question->graph->nr_blocks + 1) * 8)) {
		free(out);
		return error_no_memory();
	}
	for (uint32_t i = 0; !error && i < table->rows.nr; i++) {
		char *name = block_table_name(table, i);
		out[i] = name && is_excluded(question, name);
		error = name ? NULL : error_no_memory();
		free(name);
	}
	for (uint32_t rank = 0; !error && rank < question->graph->nr_blocks; rank++)
		if (out[block_table_type(table, rank)])
			bitmap_set(removed->memory, rank);
	free(out);
	return error;
}

/* An entry is left if some root holds it whose name no pattern matches. */
static struct error *exclude_roots(struct heap_question *question, struct area *left)
{
	const struct entries *entries = &question->entries;
	struct area held = { 0 };
	struct error *error = NULL;
	if (!area_reserve(left, bitmap_words(entries->nr + 1u) * 8) ||
	    !area_reserve(&held, bitmap_words(question->graph->nr_blocks + 1) * 8)) {
		area_release(&held);
		return error_no_memory();
	}
	for (uint32_t group = 0; !error && group < entries->nr_groups; group++) {
		char *name = root_groups_name(&question->groups, group);
		struct edge_run run = entries_of_group(entries, group);
		bool out = name && is_excluded(question, name);
		error = name ? NULL : error_no_memory();
		for (uint64_t i = 0; !out && i < run.nr; i++)
			bitmap_set(held.memory, edge_rank(run.edges[i]));
		free(name);
	}
	for (uint32_t i = 0; !error && i < entries->nr; i++)
		if (!bitmap_test(entries->is_grouped.memory, i) ||
		    bitmap_test(held.memory, entries_ranks(entries)[i]))
			bitmap_set(left->memory, i);
	area_release(&held);
	return error;
}

/* --- one block ----------------------------------------------------------------------- */

struct way {
	uint32_t holder; /* the block before the one asked for; PATHS_ENTRY: a root */
	size_t root;     /* for PATHS_ENTRY: its index */
	uint64_t steps;
};
DEFINE_VEC(way_vec, struct way);

static uint64_t steps_to(const struct paths *paths, uint32_t rank)
{
	uint64_t steps = 0;
	for (; rank != PATHS_ENTRY; rank = paths_before(paths, rank))
		steps++;
	return steps;
}

static int by_steps(const void *a, const void *b)
{
	const struct way *left = a, *right = b;
	if (left->steps != right->steps)
		return left->steps < right->steps ? -1 : 1;
	if (left->root != right->root)
		return left->root < right->root ? -1 : 1;
	return left->holder < right->holder ? -1 : left->holder > right->holder;
}

static bool is_root_left(const struct heap_question *question, size_t root)
{
	uint32_t group = root_groups_numbers(&question->groups)[root];
	char *name = root_groups_name(&question->groups, group);
	bool is_left = name && !is_excluded(question, name);
	free(name);
	return is_left;
}

static struct error *find_ways(struct heap_question *question, const struct paths *paths,
			       uint32_t rank, struct way_vec *ways)
{
	const struct graph *graph = question->graph;
	const struct graph_root_vec *roots = question->groups.roots;
	for (size_t i = 0; i < roots->nr; i++) {
		struct way way = { .holder = PATHS_ENTRY, .root = i };
		if (edge_rank(roots->items[i].edge) == rank &&
		    is_root_left(question, i) && !way_vec_push(ways, way))
			return error_no_memory();
	}
	for (uint32_t from = 0; from < graph->nr_blocks; from++) {
		if (from == rank || paths_before(paths, from) == RANK_NONE ||
		    !graph_points_to(graph, from, rank))
			continue;
		struct way way = { .holder = from, .steps = steps_to(paths, from) };
		if (!way_vec_push(ways, way))
			return error_no_memory();
	}
	if (ways->nr)
		qsort(ways->items, ways->nr, sizeof(ways->items[0]), by_steps);
	return NULL;
}

static struct error *put_root(struct heap_question *question,
			      const struct graph_root *root)
{
	struct heap_row *row = heap_row_add(question->report, 0);
	if (!row)
		return error_no_memory();
	if (root && root->where)
		heap_put(row, ADDRESS, root->where);
	if (!root)
		return heap_put_copy(row, NAME, "nothing: lost");
	return heap_put_text(row, NAME, root_groups_place(&question->groups, root));
}

/* The first root that holds an entry and is not excluded; NULL: it is lost or doubted. */
static const struct graph_root *root_of(const struct heap_question *question,
					uint32_t rank)
{
	const struct graph_root_vec *roots = question->groups.roots;
	for (size_t i = 0; i < roots->nr; i++)
		if (edge_rank(roots->items[i].edge) == rank && is_root_left(question, i))
			return &roots->items[i];
	return NULL;
}

/* The name of a block with the field that leads on, where a type tells it. */
static struct error *put_name(struct heap_question *question, struct heap_row *row,
			      uint32_t rank, uint64_t offset)
{
	struct error *error = heap_put_field(question, row, FIELD, rank, offset);
	char *type = heap_block_name(question, rank);
	struct str name = { 0 };
	if (!error && type && row->cells[FIELD].text)
		str_printf(&name, "%s.%s", type, row->cells[FIELD].text);
	else
		str_puts(&name, type ? type : "");
	free(type);
	return error ? error : heap_put_text(row, NAME, str_take(&name));
}

/* A block on a way, with where the pointer to the next stands in it. */
static struct error *put_step(struct heap_question *question, uint32_t rank,
			      uint32_t next, unsigned depth)
{
	struct heap_row *row = heap_row_add(question->report, depth);
	uint64_t address = 0, size = 0;
	if (!row)
		return error_no_memory();
	space_block(&question->graph->space, rank, &address, &size);
	heap_put(row, ADDRESS, address);
	heap_put(row, RETAINED, dominators_retained(&question->dominators, rank));
	struct edge_walk walk = graph_walk(question->graph, rank);
	struct edge_at at;
	while (next != RANK_NONE && question->graph->places.edges_are_kept &&
	       edge_walk_next(&walk, &at))
		if (edge_rank(at.edge) == next) {
			heap_put(row, OFFSET, at.offset);
			return put_name(question, row, rank, at.offset);
		}
	return heap_put_text(row, NAME, heap_block_name(question, rank));
}

static struct error *put_left_out(struct heap_question *question, uint64_t nr,
				  unsigned depth)
{
	struct heap_row *row = heap_row_add(question->report, depth);
	struct str text = { 0 };
	if (!row)
		return error_no_memory();
	str_printf(&text, "... %llu more blocks ...", (unsigned long long)nr);
	return heap_put_text(row, NAME, str_take(&text));
}

static struct error *put_way(struct heap_question *question, const struct paths *paths,
			     const struct way *way, uint32_t rank)
{
	uint32_t *blocks = malloc((way->steps + 1) * sizeof(*blocks));
	uint64_t nr = way->steps, depth = 1;
	if (!blocks)
		return error_no_memory();
	uint32_t at = way->holder;
	for (uint64_t i = nr; i-- > 0; at = paths_before(paths, at))
		blocks[i] = at;
	blocks[nr] = rank;
	struct error *error =
		put_root(question, nr ? root_of(question, blocks[0])
				      : &question->groups.roots->items[way->root]);
	for (uint64_t i = 0; !error && i <= nr; i++) {
		if (nr > STEPS_MAX && i == STEPS_MAX / 2) {
			error = put_left_out(question, nr - STEPS_MAX, (unsigned)depth++);
			i += nr - STEPS_MAX;
		}
		if (!error)
			error = put_step(question, blocks[i],
					 i < nr ? blocks[i + 1] : RANK_NONE,
					 (unsigned)depth++);
	}
	free(blocks);
	return error;
}

static struct error *say_ways(struct heap_question *question,
			      const struct heap_asked *asked, const struct way_vec *ways)
{
	struct str places = { 0 }, steps = { 0 };
	if (!ways->nr)
		return heap_say(question->report, "no such way leads to %s", asked->name);
	heap_put_plural(&places, ways->nr, "place");
	heap_put_plural(&steps, ways->items[0].steps, "block");
	struct error *error = heap_say(
		question->report,
		"%s at 0x%llx is held from %s; on the shortest way "
		"there before it: %s",
		asked->name, (unsigned long long)heap_address(question, asked->rank),
		str_text(&places), str_text(&steps));
	str_deinit(&places);
	str_deinit(&steps);
	return error;
}

static struct error *answer_block(struct heap_question *question,
				  const struct heap_asked *asked,
				  const struct removal *removal)
{
	struct paths paths = { 0 };
	struct way_vec ways = { 0 };
	struct error *error = paths_find(question->graph, &question->entries, removal,
					 asked->blocks.memory, &paths);
	if (!error)
		error = find_ways(question, &paths, asked->rank, &ways);
	uint64_t max = question->options->max_rows;
	for (size_t i = 0; !error && i < ways.nr && (!max || i < max); i++)
		error = put_way(question, &paths, &ways.items[i], asked->rank);
	question->report->rows_left_out = max && ways.nr > max ? ways.nr - max : 0;
	if (!error)
		error = say_ways(question, asked, &ways);
	way_vec_deinit(&ways);
	paths_deinit(&paths);
	return error;
}

/* --- many blocks --------------------------------------------------------------------- */

/* A node of the merged tree: the blocks of one type that have the same node above. */
struct merged {
	uint32_t parent; /* index; UINT32_MAX: none */
	uint32_t type;   /* of the table; for a root its group */
	uint64_t behind; /* blocks asked for that its ways lead to */
	uint32_t depth;
};
DEFINE_VEC(merged_vec, struct merged);

struct merging {
	struct heap_question *question;
	const struct paths *paths;
	struct merged_vec nodes;
	struct map ids;      /* + 1, by hash of parent and type */
	struct area node_of; /* uint32_t by rank: index + 1; 0: not merged yet */
	struct area groups;  /* uint32_t by rank: group of an entry + 1 */
	struct rank_vec path;
};

#define MERGED_NONE UINT32_MAX

static uint32_t merge_node(struct merging *merging, uint32_t parent, uint32_t type)
{
	struct merged node = { .parent = parent, .type = type };
	uint64_t key = hash_mix(((uint64_t)parent << 32 | type) + 1);
	uint64_t *id = map_at(&merging->ids, key);
	if (id && !*id) {
		node.depth = parent == MERGED_NONE
				     ? 0
				     : merging->nodes.items[parent].depth + 1;
		if (merged_vec_push(&merging->nodes, node))
			*id = merging->nodes.nr;
	}
	return id && *id ? (uint32_t)*id - 1 : MERGED_NONE;
}

/* The node of a block: of what lies above it first. */
static bool merge_block(struct merging *merging, uint32_t rank, uint32_t *node)
{
	uint32_t *node_of = merging->node_of.memory;
	const uint32_t *groups = merging->groups.memory;
	merging->path.nr = 0;
	for (uint32_t at = rank; at != PATHS_ENTRY && !node_of[at];
	     at = paths_before(merging->paths, at))
		if (!rank_vec_push(&merging->path, at))
			return false;
	for (size_t i = merging->path.nr; i-- > 0;) {
		uint32_t at = merging->path.items[i];
		uint32_t before = paths_before(merging->paths, at), parent;
		if (before != PATHS_ENTRY)
			parent = node_of[before] - 1;
		else
			parent = merge_node(merging, MERGED_NONE, groups[at]);
		uint32_t type = block_table_type(&merging->question->table, at);
		uint32_t merged = parent == MERGED_NONE
					  ? MERGED_NONE
					  : merge_node(merging, parent, type);
		if (merged == MERGED_NONE)
			return false;
		node_of[at] = merged + 1;
	}
	*node = node_of[rank] - 1;
	return true;
}

static struct error *note_groups(struct merging *merging)
{
	const struct entries *entries = &merging->question->entries;
	uint32_t *groups = merging->groups.memory;
	struct error *error = NULL;
	for (uint32_t group = 0; !error && group < entries->nr_groups; group++) {
		struct edge_run run = entries_of_group(entries, group);
		char *name = root_groups_name(&merging->question->groups, group);
		bool out = name && is_excluded(merging->question, name);
		error = name ? NULL : error_no_memory();
		free(name);
		for (uint64_t i = 0; !out && i < run.nr; i++)
			if (!groups[edge_rank(run.edges[i])])
				groups[edge_rank(run.edges[i])] = group + 1;
	}
	return error;
}

static struct error *merge_all(struct merging *merging, const struct heap_asked *asked,
			       uint64_t *nr_reached)
{
	for (uint32_t rank = 0; rank < merging->question->graph->nr_blocks; rank++) {
		uint32_t node = 0;
		if (!bitmap_test(asked->blocks.memory, rank) ||
		    !heap_is_wanted(merging->question, rank) ||
		    paths_before(merging->paths, rank) == RANK_NONE)
			continue;
		if (!merge_block(merging, rank, &node))
			return error_no_memory();
		++*nr_reached;
		for (; node != MERGED_NONE; node = merging->nodes.items[node].parent)
			merging->nodes.items[node].behind++;
	}
	return NULL;
}

static struct error *put_merged(struct merging *merging, uint32_t index)
{
	struct heap_question *question = merging->question;
	const struct merged *node = &merging->nodes.items[index];
	struct heap_row *row = heap_row_add(question->report, node->depth);
	if (!row)
		return error_no_memory();
	heap_put(row, LEADING, node->behind);
	struct str text = { 0 };
	char *name = node->depth  ? block_table_name(&question->table, node->type)
		     : node->type ? root_groups_name(&question->groups, node->type - 1)
				  : strdup("nothing: lost");
	if (name)
		str_printf(&text, "%s (%llu)", name, (unsigned long long)node->behind);
	free(name);
	return heap_put_text(row, NAME, text.length ? str_take(&text) : NULL);
}

/* Children of a node follow it, the ones that lead to the most first. */
static struct error *put_tree(struct merging *merging)
{
	uint64_t max = merging->question->options->max_rows, nr = 0;
	struct merged_vec *nodes = &merging->nodes;
	bool *told = calloc(nodes->nr + 1, sizeof(*told));
	struct error *error = NULL;
	uint32_t at = MERGED_NONE;
	if (!told)
		return error_no_memory();
	while (!error && (!max || nr < max)) {
		uint32_t best = MERGED_NONE;
		for (uint32_t i = 0; i < nodes->nr; i++)
			if (!told[i] && nodes->items[i].parent == at &&
			    (best == MERGED_NONE ||
			     nodes->items[i].behind > nodes->items[best].behind))
				best = i;
		if (best == MERGED_NONE) {
			if (at == MERGED_NONE)
				break;
			at = nodes->items[at].parent;
			continue;
		}
		told[best] = true;
		error = put_merged(merging, best);
		nr++;
		at = best;
	}
	merging->question->report->rows_left_out = nodes->nr - nr;
	free(told);
	return error;
}

static struct error *answer_many(struct heap_question *question,
				 const struct heap_asked *asked,
				 const struct removal *removal)
{
	struct paths paths = { 0 };
	struct merging merging = { .question = question, .paths = &paths };
	uint64_t nr_reached = 0;
	size_t bytes = (question->graph->nr_blocks + 1) * sizeof(uint32_t);
	struct error *error =
		paths_find(question->graph, &question->entries, removal, NULL, &paths);
	if (!error && (!area_reserve(&merging.node_of, bytes) ||
		       !area_reserve(&merging.groups, bytes)))
		error = error_no_memory();
	if (!error)
		error = note_groups(&merging);
	if (!error)
		error = merge_all(&merging, asked, &nr_reached);
	if (!error)
		error = put_tree(&merging);
	if (!error)
		error = heap_say(question->report,
				 "the shortest ways to %llu of the %llu blocks of %s",
				 (unsigned long long)nr_reached,
				 (unsigned long long)asked->nr_blocks, asked->name);
	merged_vec_deinit(&merging.nodes);
	map_deinit(&merging.ids);
	area_release(&merging.node_of);
	area_release(&merging.groups);
	rank_vec_deinit(&merging.path);
	paths_deinit(&paths);
	return error;
}

static struct error *answer(struct heap_question *question)
{
	struct heap_asked asked;
	struct area removed = { 0 }, left = { 0 };
	struct error *error = heap_asked_find(question, question->options->asked, &asked);
	if (!error && asked.kind == ASKED_BLOCK && question->unwanted)
		error = heap_refuse_filter(&heap_paths);
	if (!error && has_excludes(question))
		error = exclude_blocks(question, &removed);
	if (!error && has_excludes(question))
		error = exclude_roots(question, &left);
	const struct removal removal = {
		.blocks = removed.memory,
		.entries = left.memory,
	};
	if (!error)
		error = asked.kind == ASKED_BLOCK
				? answer_block(question, &asked, &removal)
				: answer_many(question, &asked, &removal);
	area_release(&removed);
	area_release(&left);
	heap_asked_deinit(&asked);
	return error;
}

const struct heap_view heap_paths = {
	.name = "paths",
	.needs_edge_places = true,
	.columns = columns,
	.nr_columns = NR_COLUMNS,
	.is_tree = true,
	.takes_asked = true,
	.answer = answer,
};
