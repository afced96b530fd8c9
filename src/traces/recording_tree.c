/*
 * recording_tree: call trees of what was allocated; see recording_priv.h.
 *
 * Every stack is a path from node 0; calls of one function (or from one line) by the same
 * caller are one node.
 */
#include "traces/recording_priv.h"

#include <stdlib.h>

#include "base/map.h"

#define LEAST_SHARE 100u /* what is below one in so many of the whole is not shown */
#define MAX_DEPTH   200u /* of what is shown */

/* A tree while it is made. */
struct planting {
	struct recording_work *work;
	struct recording_node_vec *tree;
	bool bottom_up, by_line;
	struct map children; /* node number plus one, by parent and what it is of */
	struct recording_number_vec stack;
};

static uint64_t child_key(const struct planting *planting, uint32_t parent,
			  uint32_t frame)
{
	const struct recording_frame *known =
		&planting->work->report->places.frames.items[frame];
	return (uint64_t)parent << 32 | (planting->by_line ? frame : known->function);
}

/* RECORDING_NONE when memory ran out. */
static uint32_t child_of(struct planting *planting, uint32_t parent, uint32_t frame)
{
	uint64_t *known = map_at(&planting->children, child_key(planting, parent, frame));
	if (!known)
		return RECORDING_NONE;
	if (!*known) {
		struct recording_node node = { .parent = parent, .frame = frame };
		if (planting->tree->nr == RECORDING_NONE ||
		    !recording_node_vec_push(planting->tree, node))
			return RECORDING_NONE;
		*known = planting->tree->nr;
	}
	return (uint32_t)(*known - 1);
}

static struct error *plant_stack(struct planting *planting, uint32_t node, uint32_t *leaf)
{
	struct error *error = recording_stack(planting->work, node, &planting->stack);
	size_t nr = planting->stack.nr;
	*leaf = 0;
	for (size_t i = 0; !error && i < nr; i++) {
		size_t at = planting->bottom_up ? i : nr - 1 - i;
		*leaf = child_of(planting, *leaf, planting->stack.items[at]);
		if (*leaf == RECORDING_NONE)
			error = error_no_memory();
	}
	return error;
}

/* A child stands behind its parent. */
static void add_up(struct recording_node_vec *tree)
{
	for (size_t i = tree->nr; i-- > 1;)
		recording_counts_add(&tree->items[tree->items[i].parent].counts,
				     &tree->items[i].counts);
}

/* Adds what a key holds to the leaf of its stack. */
static struct error *plant_key(struct planting *planting, struct map *leaves,
			       uint32_t key)
{
	struct recording_work *work = planting->work;
	uint32_t node = work->trace->requests.items[key].node;
	uint64_t *known = map_at(leaves, node);
	if (!known)
		return error_no_memory();
	if (!*known) {
		uint32_t leaf;
		struct error *error = plant_stack(planting, node, &leaf);
		if (error)
			return error;
		*known = (uint64_t)leaf + 1;
	}
	struct recording_counts counts = recording_counts_of(work, key);
	recording_counts_add(&planting->tree->items[*known - 1].counts, &counts);
	return NULL;
}

static struct error *plant_all(struct planting *planting)
{
	const struct replay *replay = &planting->work->replay;
	struct map leaves = { 0 }; /* tree node plus one, by stack node */
	struct error *error = NULL;
	for (uint32_t key = 0; !error && key < replay->nr_keys; key++)
		if (replay_has(replay, key))
			error = plant_key(planting, &leaves, key);
	map_deinit(&leaves);
	return error;
}

struct error *recording_tree_make(struct recording_work *work, bool bottom_up,
				  bool by_line, struct recording_node_vec *tree)
{
	struct planting planting = {
		.work = work,
		.tree = tree,
		.bottom_up = bottom_up,
		.by_line = by_line,
	};
	struct recording_node whole = { .frame = RECORDING_NONE };
	if (!recording_node_vec_push(tree, whole))
		return error_no_memory();
	struct error *error = plant_all(&planting);
	map_deinit(&planting.children);
	recording_number_vec_deinit(&planting.stack);
	add_up(tree);
	return error;
}

/* --- rows --------------------------------------------------------------------------- */

/* Nodes by parent, the largest first; children of node i stand from first[i] on. */
struct picking {
	struct recording_work *work;
	const struct recording_node_vec *tree;
	struct recording_row_vec *rows;
	uint32_t *order, *first;
	int64_t least;
};

static int64_t value_of(const struct picking *picking, uint32_t node)
{
	return recording_value(&picking->tree->items[node].counts,
			       picking->work->options->order);
}

static int compare_nodes(const void *one, const void *other, void *context)
{
	const struct picking *picking = context;
	uint32_t a = *(const uint32_t *)one, b = *(const uint32_t *)other;
	uint32_t parents[] = { picking->tree->items[a].parent,
			       picking->tree->items[b].parent };
	if (parents[0] != parents[1])
		return parents[0] < parents[1] ? -1 : 1;
	int64_t values[] = { value_of(picking, a), value_of(picking, b) };
	if (values[0] != values[1])
		return values[0] > values[1] ? -1 : 1;
	return (a > b) - (a < b);
}

static bool sort_nodes(struct picking *picking)
{
	size_t nr = picking->tree->nr;
	picking->order = calloc(nr, sizeof(*picking->order));
	picking->first = calloc(nr + 1, sizeof(*picking->first));
	if (!picking->order || !picking->first)
		return false;
	for (uint32_t i = 1; i < nr; i++)
		picking->order[i - 1] = i;
	qsort_r(picking->order, nr - 1, sizeof(*picking->order), compare_nodes, picking);
	size_t at = 0;
	for (size_t parent = 0; parent <= nr; parent++) {
		while (at < nr - 1 &&
		       picking->tree->items[picking->order[at]].parent < parent)
			at++;
		picking->first[parent] = (uint32_t)at;
	}
	return true;
}

static struct error *put_row(struct picking *picking, uint32_t node, unsigned depth)
{
	const struct recording_node *known = &picking->tree->items[node];
	struct recording_row row = { .counts = known->counts, .depth = depth };
	struct error *error = NULL;
	if (!recording_number_vec_push(&row.frames, known->frame))
		error = error_no_memory();
	if (!error)
		error = recording_row_name(picking->work, &row);
	if (!error && !recording_row_vec_push(picking->rows, row))
		error = error_no_memory();
	if (error)
		recording_row_deinit(&row);
	return error;
}

/* What is below a node, its own row excluded. */
static struct error *put_below(struct picking *picking, uint32_t node, unsigned depth)
{
	uint32_t most = picking->work->options->max_rows, nr = 0;
	for (uint32_t i = picking->first[node]; i < picking->first[node + 1]; i++) {
		uint32_t child = picking->order[i];
		if ((most && nr == most) || depth == MAX_DEPTH ||
		    value_of(picking, child) < picking->least) {
			picking->work->report->rows_left_out +=
				picking->first[node + 1] - i;
			break;
		}
		nr++;
		struct error *error = put_row(picking, child, depth);
		if (!error)
			error = put_below(picking, child, depth + 1);
		if (error)
			return error;
	}
	return NULL;
}

struct error *recording_tree_rows(struct recording_work *work,
				  const struct recording_node_vec *tree,
				  struct recording_row_vec *rows)
{
	struct picking picking = { .work = work, .tree = tree, .rows = rows };
	int64_t whole = value_of(&picking, 0);
	picking.least = !work->options->max_rows ? INT64_MIN
			: whole > 0              ? whole / LEAST_SHARE + 1
						 : 1;
	struct error *error = sort_nodes(&picking) ? put_below(&picking, 0, 0)
						   : error_no_memory();
	free(picking.order);
	free(picking.first);
	return error;
}
