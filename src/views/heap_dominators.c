/*
 * heap_dominators: the tree of what keeps what alive, the largest first: at its top variables,
 * stacks and the like, and blocks that several of them hold. Below each stand
 * the largest that only it keeps; as in MAT, where nothing large enough follows a tree ends.
 */
#include "views/heap_dominators_by.h"
#include "views/heap_tops.h"

/* A child is told where it retains so much of its parent, in per cent. */
#define WORTH_PERCENT 10u
#define DEPTH_MAX     12u
/* So many rows of children below each of the topmost blocks. */
#define BELOW_MAX 8u

enum { RETAINED, SHARE, SHALLOW, ADDRESS, HELD, TYPE, NR_COLUMNS };

static const struct heap_column columns[] = {
	[RETAINED] = { "retained_bytes", "retained", HEAP_BYTES },
	[SHARE] = { "percent", "share", HEAP_PERCENT },
	[SHALLOW] = { "bytes", "bytes", HEAP_BYTES },
	[ADDRESS] = { "address", "address", HEAP_ADDRESS },
	[HELD] = { "children", NULL, HEAP_COUNT },
	[TYPE] = { "type", "type", HEAP_TEXT },
};

struct telling {
	struct heap_question *question;
	struct dominator_tree tree;
	unsigned below; /* rows told below the topmost block at hand */
};

/* The `nr` children that retain the most, in order. */
struct best {
	uint32_t *ranks;
	size_t nr, max;
};

static void consider(const struct dominators *dominators, struct best *best,
		     uint32_t rank)
{
	uint64_t retained = dominators_retained(dominators, rank);
	size_t at = best->nr;
	while (at > 0 && dominators_retained(dominators, best->ranks[at - 1]) < retained)
		at--;
	if (at == best->max)
		return;
	size_t end = best->nr < best->max ? best->nr++ : best->max - 1;
	for (; end > at; end--)
		best->ranks[end] = best->ranks[end - 1];
	best->ranks[at] = rank;
}

static struct error *put_node(struct telling *telling, uint32_t node, unsigned depth)
{
	struct heap_question *question = telling->question;
	struct heap_row *row = heap_row_add(question->report, depth);
	if (!row)
		return error_no_memory();
	uint32_t nr_children = 0, nr_blocks = question->dominators.nr_blocks;
	uint64_t retained = dominators_retained(&question->dominators, node);
	dominator_tree_children(&telling->tree, node, &nr_children);
	heap_put(row, RETAINED, retained);
	heap_put(row, SHARE, heap_share(retained, question->report->all.bytes));
	heap_put(row, HELD, nr_children);
	if (node >= nr_blocks)
		return heap_put_text(
			row, TYPE, root_groups_name(&question->groups, node - nr_blocks));
	uint64_t address = 0, size = 0;
	space_block(&question->graph->space, node, &address, &size);
	heap_put(row, SHALLOW, size);
	heap_put(row, ADDRESS, address);
	return heap_put_text(row, TYPE, heap_block_name(question, node));
}

/* What is worth telling below a block: its largest children, and of each the same. */
static struct error *put_below(struct telling *telling, uint32_t top)
{
	const struct dominators *dominators = &telling->question->dominators;
	struct {
		uint32_t ranks[BELOW_MAX];
		size_t nr, next;
	} levels[DEPTH_MAX];
	uint32_t parents[DEPTH_MAX] = { top };
	size_t depth = 0;
	struct error *error = NULL;
	levels[0].nr = levels[0].next = 0;
	bool is_new = true;
	while (!error) {
		if (is_new) {
			uint32_t nr = 0;
			const uint32_t *children = dominator_tree_children(
				&telling->tree, parents[depth], &nr);
			struct best best = { levels[depth].ranks, 0, BELOW_MAX };
			for (uint32_t i = 0; i < nr; i++)
				consider(dominators, &best, children[i]);
			levels[depth].nr = best.nr;
			levels[depth].next = 0;
			is_new = false;
		}
		uint64_t whole = dominators_retained(dominators, parents[depth]);
		bool more = levels[depth].next < levels[depth].nr &&
			    telling->below < BELOW_MAX;
		uint32_t child = more ? levels[depth].ranks[levels[depth].next++] : 0;
		if (!more || dominators_retained(dominators, child) * 100 <
				     whole * WORTH_PERCENT) {
			if (depth-- == 0)
				break;
			continue;
		}
		telling->below++;
		error = put_node(telling, child, (unsigned)depth + 1);
		if (depth + 1 < DEPTH_MAX) {
			parents[++depth] = child;
			is_new = true;
		}
	}
	return error;
}

static struct error *put_tops(struct telling *telling, const struct heap_tops *tops)
{
	struct heap_question *question = telling->question;
	const uint32_t nr = tops->nr;
	unsigned max = question->options->max_rows;
	struct best best = { .max = max && max < nr ? max : nr };
	best.ranks = calloc(best.max + 1, sizeof(*best.ranks));
	if (!best.ranks)
		return error_no_memory();
	uint32_t nr_holding = 0;
	for (uint32_t i = 0; i < nr; i++)
		if (dominators_retained(&question->dominators, tops->nodes[i])) {
			consider(&question->dominators, &best, tops->nodes[i]);
			nr_holding++;
		}
	struct error *error = NULL;
	for (size_t i = 0; !error && i < best.nr; i++) {
		telling->below = 0;
		error = put_node(telling, best.ranks[i], 0);
		if (!error)
			error = put_below(telling, best.ranks[i]);
	}
	question->report->rows_left_out = nr_holding - best.nr;
	free(best.ranks);
	return error;
}

static struct error *say(struct heap_question *question)
{
	struct heap_report *report = question->report;
	if (!report->rows.nr)
		return heap_say(report, "%s has no such blocks", report->target);
	const struct heap_row *first = &report->rows.items[0];
	struct str text = { 0 };
	heap_put_bytes(&text, first->cells[RETAINED].number);
	struct error *error = heap_say(
		report, "%s keeps %s (%llu.%llu %%) of %s alive", first->cells[TYPE].text,
		str_text(&text), (unsigned long long)first->cells[SHARE].number / 100,
		(unsigned long long)first->cells[SHARE].number / 10 % 10, report->target);
	str_deinit(&text);
	return error;
}

static struct error *answer(struct heap_question *question)
{
	struct telling telling = { .question = question };
	struct heap_tops tops = { 0 };
	struct error *error = dominator_tree_make(&question->dominators, &telling.tree);
	if (!error)
		error = heap_tops_find(question, &telling.tree, &tops);
	if (!error && question->options->by_is_said)
		error = heap_dominators_by(question, &telling.tree, &tops);
	else if (!error)
		error = put_tops(&telling, &tops);
	if (!error && !question->options->by_is_said)
		error = say(question);
	heap_tops_deinit(&tops);
	dominator_tree_deinit(&telling.tree);
	return error;
}

const struct heap_view heap_dominators = {
	.name = "dominators",
	.columns = columns,
	.nr_columns = NR_COLUMNS,
	.is_tree = true,
	.takes_by = true,
	.answer = answer,
	.next = "roots",
	.next_purpose = "what holds them",
};
