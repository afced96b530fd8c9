/* heap_dominators_by: see heap_dominators_by.h. */
#include "views/heap_dominators_by.h"

#include <stdlib.h>

#include "views/heap_by.h"

/* A group is told where it retains so much of its parent, in per cent. */
#define WORTH_PERCENT 10u
#define DEPTH_MAX     12u
/* So many rows below each of the topmost groups. */
#define BELOW_MAX 8u

enum { RETAINED, SHARE, SHALLOW, COUNT, CHILDREN, NAME, NR_COLUMNS };

#define COLUMNS(title_of_rows)                                                           \
	{                                                                                \
		[RETAINED] = { "retained_bytes", "retained", HEAP_BYTES },               \
		[SHARE] = { "percent", "share", HEAP_PERCENT },                          \
		[SHALLOW] = { "bytes", "bytes", HEAP_BYTES },                            \
		[COUNT] = { "blocks", "blocks", HEAP_COUNT },                            \
		[CHILDREN] = { "children", NULL, HEAP_COUNT },                           \
		[NAME] = { "type", title_of_rows, HEAP_TEXT },                           \
	}

/* Those that a group has no title for are no way to group a tree. */
static const struct heap_column columns[][NR_COLUMNS] = {
	[HEAP_BY_TYPE] = COLUMNS("type"), [HEAP_BY_SIZE] = COLUMNS("size"),
	[HEAP_BY_SITE] = COLUMNS("site"), [HEAP_BY_ARENA] = COLUMNS("arena"),
	[HEAP_BY_ZONE] = COLUMNS("zone"), [HEAP_BY_ROOT] = { { 0 } },
	[HEAP_BY_DOMINATOR] = { { 0 } },
};

struct group {
	uint32_t number; /* of the table */
	uint32_t blocks;
	uint64_t retained, bytes;
	uint32_t first; /* of its blocks among the level's */
};
DEFINE_VEC(group_vec, struct group);

/* What stands below the same group. */
struct level {
	struct group_vec groups; /* the one that retains the most first */
	struct area blocks;      /* uint32_t[]: ranks, group by group */
};

struct grouping {
	struct heap_question *question;
	const struct dominator_tree *tree;
	const struct block_table *table;
	struct area slots; /* uint32_t by number of the table: group + 1 */
	unsigned below;    /* rows told below the topmost group at hand */
};

/* --- levels -------------------------------------------------------------------------- */

/* Children of many nodes, one after another. What a variable or the like holds stands where it does. */
struct children {
	const struct grouping *grouping;
	const uint32_t *parents;
	uint32_t nr_parents;
	const uint32_t *at, *held; /* what follows; what a variable holds */
	uint32_t nr, nr_held;
};

static bool next_node(struct children *children, uint32_t *node)
{
	while (!children->nr && children->nr_parents) {
		children->at = dominator_tree_children(children->grouping->tree,
						       *children->parents, &children->nr);
		children->parents++;
		children->nr_parents--;
	}
	if (!children->nr)
		return false;
	*node = *children->at++;
	children->nr--;
	return true;
}

static bool next_child(struct children *children, uint32_t *rank)
{
	const struct grouping *grouping = children->grouping;
	uint32_t node;
	while (!children->nr_held) {
		if (!next_node(children, &node))
			return false;
		if (node < grouping->question->dominators.nr_blocks) {
			*rank = node;
			return true;
		}
		children->held =
			dominator_tree_children(grouping->tree, node, &children->nr_held);
	}
	*rank = *children->held++;
	children->nr_held--;
	return true;
}

static bool count_block(struct grouping *grouping, struct level *level, uint32_t rank)
{
	const struct heap_question *question = grouping->question;
	const uint32_t number = block_table_type(grouping->table, rank);
	uint32_t *slot = (uint32_t *)grouping->slots.memory + number;
	uint64_t address = 0, size = 0;
	if (!*slot) {
		if (!group_vec_push(&level->groups, (struct group){ .number = number }))
			return false;
		*slot = (uint32_t)level->groups.nr;
	}
	struct group *group = &level->groups.items[*slot - 1];
	space_block(&question->graph->space, rank, &address, &size);
	group->blocks++;
	group->bytes += size;
	group->retained += dominators_retained(&question->dominators, rank);
	return true;
}

static int by_retained(const void *a, const void *b)
{
	const struct group *left = a, *right = b;
	if (left->retained != right->retained)
		return left->retained < right->retained ? 1 : -1;
	return left->number < right->number ? -1 : left->number > right->number;
}

/* Gives each group its part of the level's blocks, which follow. */
static bool lay_out(struct grouping *grouping, struct level *level)
{
	uint32_t *slots = grouping->slots.memory, nr = 0;
	if (level->groups.nr)
		qsort(level->groups.items, level->groups.nr, sizeof(struct group),
		      by_retained);
	for (size_t i = 0; i < level->groups.nr; i++) {
		struct group *group = &level->groups.items[i];
		slots[group->number] = (uint32_t)i + 1;
		group->first = nr;
		nr += group->blocks;
		group->blocks = 0;
	}
	return area_reserve(&level->blocks, ((size_t)nr + 1) * sizeof(uint32_t));
}

static void place_block(const struct grouping *grouping, struct level *level,
			uint32_t rank)
{
	const uint32_t *slots = grouping->slots.memory;
	uint32_t slot = slots[block_table_type(grouping->table, rank)];
	struct group *group = &level->groups.items[slot - 1];
	((uint32_t *)level->blocks.memory)[group->first + group->blocks++] = rank;
}

static void level_deinit(struct level *level)
{
	group_vec_deinit(&level->groups);
	area_release(&level->blocks);
}

/* Of all these nodes, or below them. */
static struct error *level_make(struct grouping *grouping, struct children from,
				struct level *level)
{
	uint32_t *slots = grouping->slots.memory, rank;
	struct children again = from;
	bool good = true;
	*level = (struct level){ 0 };
	while (good && next_child(&from, &rank))
		good = count_block(grouping, level, rank);
	good = good && lay_out(grouping, level);
	while (good && next_child(&again, &rank))
		place_block(grouping, level, rank);
	for (size_t i = 0; i < level->groups.nr; i++)
		slots[level->groups.items[i].number] = 0;
	return good ? NULL : error_no_memory();
}

/* --- rows ---------------------------------------------------------------------------- */

static struct error *put_group(const struct grouping *grouping, const struct group *group,
			       uint64_t nr_children, unsigned depth)
{
	struct heap_question *question = grouping->question;
	struct heap_row *row = heap_row_add(question->report, depth);
	if (!row)
		return error_no_memory();
	heap_put(row, RETAINED, group->retained);
	heap_put(row, SHARE, heap_share(group->retained, question->report->all.bytes));
	heap_put(row, SHALLOW, group->bytes);
	heap_put(row, COUNT, group->blocks);
	heap_put(row, CHILDREN, nr_children);
	return heap_put_text(row, NAME, block_table_name(grouping->table, group->number));
}

static uint64_t count_children(const struct grouping *grouping, const uint32_t *ranks,
			       uint32_t nr_ranks)
{
	uint64_t all = 0;
	for (uint32_t i = 0; i < nr_ranks; i++) {
		uint32_t nr = 0;
		dominator_tree_children(grouping->tree, ranks[i], &nr);
		all += nr;
	}
	return all;
}

/* A group, and what is worth telling below it. The depth is bounded. */
static struct error *put_tree(struct grouping *grouping, const struct level *level,
			      const struct group *group, unsigned depth)
{
	const uint32_t *ranks = (const uint32_t *)level->blocks.memory + group->first;
	struct level below = { 0 };
	struct error *error = put_group(
		grouping, group, count_children(grouping, ranks, group->blocks), depth);
	if (!error && depth + 1 < DEPTH_MAX && grouping->below < BELOW_MAX)
		error = level_make(grouping,
				   (struct children){ .grouping = grouping,
						      .parents = ranks,
						      .nr_parents = group->blocks },
				   &below);
	for (size_t i = 0; !error && i < below.groups.nr; i++) {
		const struct group *child = &below.groups.items[i];
		if (child->retained * 100 < group->retained * WORTH_PERCENT ||
		    grouping->below >= BELOW_MAX)
			break;
		grouping->below++;
		error = put_tree(grouping, &below, child, depth + 1);
	}
	level_deinit(&below);
	return error;
}

static struct error *say(const struct grouping *grouping, const struct level *top)
{
	struct heap_report *report = grouping->question->report;
	const char *noun = heap_by_noun(grouping->question->options->by);
	struct str blocks = { 0 }, most = { 0 };
	if (!report->rows.nr)
		return heap_say(report, "%s has no such blocks", report->target);
	const struct group *first = &top->groups.items[0];
	heap_put_plural(&blocks, first->blocks, "block");
	heap_put_bytes(&most, first->retained);
	struct error *error =
		heap_say(report, "%s: %s keep%s %s of %s alive, the most of %zu %s%s",
			 report->rows.items[0].cells[NAME].text, str_text(&blocks),
			 first->blocks == 1 ? "s" : "", str_text(&most), report->target,
			 top->groups.nr, noun, top->groups.nr == 1 ? "" : "s");
	str_deinit(&blocks);
	str_deinit(&most);
	return error;
}

static struct error *put_tops(struct grouping *grouping, const struct heap_tops *tops)
{
	struct level top;
	struct error *error = level_make(grouping,
					 (struct children){ .grouping = grouping,
							    .at = tops->nodes,
							    .nr = tops->nr },
					 &top);
	size_t nr = heap_rows_shown(grouping->question, top.groups.nr);
	for (size_t i = 0; !error && i < nr; i++) {
		grouping->below = 0;
		error = put_tree(grouping, &top, &top.groups.items[i], 0);
	}
	if (!error)
		error = say(grouping, &top);
	level_deinit(&top);
	return error;
}

/* --- the answer ----------------------------------------------------------------------- */

static struct error *check(enum analyse_heap_by by)
{
	if (columns[by][NAME].key)
		return NULL;
	return error_remedy(error_create(ERROR_USAGE,
					 "dominators are a tree already, which \"%s\" "
					 "cannot group",
					 heap_by_noun(by)),
			    "give --by type, size, site, arena or zone");
}

struct error *heap_dominators_by(struct heap_question *question,
				 const struct dominator_tree *tree,
				 const struct heap_tops *tops)
{
	const enum analyse_heap_by what = question->options->by;
	struct grouping grouping = { .question = question, .tree = tree };
	struct heap_by by = { 0 };
	struct error *error = check(what);
	if (error)
		return error;
	question->report->columns = columns[what];
	error = heap_by_make(question, what, &by);
	grouping.table = by.table;
	if (!error &&
	    !area_reserve(&grouping.slots, (by.table->rows.nr + 1) * sizeof(uint32_t)))
		error = error_no_memory();
	if (!error)
		error = put_tops(&grouping, tops);
	area_release(&grouping.slots);
	heap_by_deinit(&by);
	return error;
}
