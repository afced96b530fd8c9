/*
 * heap_suspects: where memory piles up, as MAT's leak suspects tell it: what alone keeps a tenth of
 * the heap alive, a variable, a block, or all topmost blocks of one type together. From there the
 * way leads down the dominator tree as long as one child keeps most of it; where it does not any more
 * is the accumulation point. Big drops are all other places of the tree where so much ends so.
 */
#include "views/heap_tops.h"

/* MAT's thresholds: of the heap in per cent, and how much of a block its largest child must keep for the
   way to go on, in per cent (big_drop_ratio 0.7). */
#define WORTH_PERCENT 10u
#define DROP_PERCENT  70u

enum { RETAINED, SHARE, ADDRESS, DEPTH, KIND, NAME, SENTENCE, NR_COLUMNS };

static const struct heap_column columns[] = {
	[RETAINED] = { "retained_bytes", "retained", HEAP_BYTES },
	[SHARE] = { "percent", "share", HEAP_PERCENT },
	[ADDRESS] = { "accumulation_address", "piles up at", HEAP_ADDRESS },
	[DEPTH] = { "accumulation_depth", NULL, HEAP_COUNT },
	[KIND] = { "kind", NULL, HEAP_TEXT },
	[NAME] = { "suspect", "suspect", HEAP_TEXT },
	[SENTENCE] = { "sentence", NULL, HEAP_SENTENCE },
};

struct suspecting {
	struct heap_question *question;
	struct dominator_tree tree;
	struct heap_tops tops;
	uint64_t worth;         /* bytes from which on something is a suspect */
	uint64_t told;          /* bytes that suspects keep */
	size_t nr_suspects;     /* the first rows; big drops follow */
	struct rank_vec points; /* where suspects pile up */
	struct area by_type;    /* uint64_t[2] by type: blocks and bytes */
};

static char *name_node(const struct heap_question *question, uint32_t node)
{
	uint32_t nr_blocks = question->dominators.nr_blocks;
	return node < nr_blocks ? heap_block_name(question, node)
				: root_groups_name(&question->groups, node - nr_blocks);
}

/* --- where it piles up ------------------------------------------------------------------ */

static uint32_t largest_child(const struct suspecting *suspecting, uint32_t node)
{
	const struct dominators *dominators = &suspecting->question->dominators;
	uint32_t nr = 0, best = RANK_NONE;
	const uint32_t *children = dominator_tree_children(&suspecting->tree, node, &nr);
	for (uint32_t i = 0; i < nr; i++)
		if (best == RANK_NONE || dominators_retained(dominators, children[i]) >
						 dominators_retained(dominators, best))
			best = children[i];
	return best;
}

/* The child that keeps most of what the node keeps; RANK_NONE: there is none. */
static uint32_t next_down(const struct suspecting *suspecting, uint32_t node)
{
	const struct dominators *dominators = &suspecting->question->dominators;
	uint32_t child = largest_child(suspecting, node);
	if (child == RANK_NONE ||
	    dominators_retained(dominators, child) * 100 <
		    dominators_retained(dominators, node) * DROP_PERCENT)
		return RANK_NONE;
	return child;
}

static uint32_t accumulation_point(const struct suspecting *suspecting, uint32_t node,
				   uint64_t *depth)
{
	for (;; ++*depth) {
		uint32_t child = next_down(suspecting, node);
		if (child == RANK_NONE)
			return node;
		node = child;
	}
}

/* Adds up the direct children of a node by type, and gives the type of the most bytes retained;
   UINT32_MAX: it has none. */
static uint32_t commonest_type(const struct suspecting *suspecting, uint32_t node,
			       uint64_t *blocks, uint64_t *bytes)
{
	const struct heap_question *question = suspecting->question;
	uint64_t *sums = suspecting->by_type.memory;
	uint32_t nr = 0, best = UINT32_MAX;
	const uint32_t *children = dominator_tree_children(&suspecting->tree, node, &nr);
	for (uint32_t i = 0; i < nr; i++) {
		uint32_t type = block_table_type(&question->table, children[i]);
		sums[2 * type]++;
		sums[2 * type + 1] +=
			dominators_retained(&question->dominators, children[i]);
		if (best == UINT32_MAX || sums[2 * type + 1] > sums[2 * best + 1])
			best = type;
	}
	*blocks = best == UINT32_MAX ? 0 : sums[2 * best];
	*bytes = best == UINT32_MAX ? 0 : sums[2 * best + 1];
	for (uint32_t i = 0; i < nr; i++) {
		uint32_t type = block_table_type(&question->table, children[i]);
		sums[2 * type] = sums[2 * type + 1] = 0;
	}
	return best;
}

/* --- sentences -------------------------------------------------------------------------- */

/* Most of what the block retains is it itself. */
static bool is_one_block(const struct heap_question *question, uint32_t node)
{
	uint64_t address = 0, size = 0;
	if (node >= question->dominators.nr_blocks)
		return false;
	space_block(&question->graph->space, node, &address, &size);
	return size * 2 > dominators_retained(&question->dominators, node);
}

static struct error *put_sentence(struct suspecting *suspecting, struct heap_row *row,
				  uint32_t node, uint32_t point, bool is_drop)
{
	const struct heap_question *question = suspecting->question;
	uint64_t blocks = 0, bytes = 0;
	uint32_t type = commonest_type(suspecting, point, &blocks, &bytes);
	char *at = name_node(question, point);
	char *of = type == UINT32_MAX ? NULL : block_table_name(&question->table, type);
	struct str text = { 0 };
	if (is_drop)
		str_puts(&text, "a big drop below a suspect: ");
	if (is_one_block(question, point))
		str_printf(&text, "it is one large block: %s", at ? at : "");
	else if (point == node)
		str_puts(&text, "it piles up right there");
	else
		str_printf(&text, "it piles up in one block: %s", at ? at : "");
	if (of) {
		str_printf(&text, "; below it %llu x %s keep%s ",
			   (unsigned long long)blocks, of, blocks == 1 ? "s" : "");
		heap_put_bytes(&text, bytes);
	}
	text.failed |= !at || (type != UINT32_MAX && !of);
	free(at);
	free(of);
	return heap_put_text(row, SENTENCE, str_take(&text));
}

static struct error *put_node(struct suspecting *suspecting, uint32_t node, bool is_drop)
{
	struct heap_question *question = suspecting->question;
	uint64_t retained = dominators_retained(&question->dominators, node), depth = 0;
	uint32_t point = accumulation_point(suspecting, node, &depth);
	uint32_t nr_blocks = question->dominators.nr_blocks;
	struct heap_row *row = heap_row_add(question->report, 0);
	if (!row)
		return error_no_memory();
	if (!rank_vec_push(&suspecting->points, point))
		return error_no_memory();
	heap_put(row, RETAINED, retained);
	heap_put(row, SHARE, heap_share(retained, question->report->all.bytes));
	heap_put(row, DEPTH, depth);
	if (point < nr_blocks)
		heap_put(row, ADDRESS, heap_address(question, point));
	struct error *error = heap_put_copy(row, KIND,
					    is_drop ? "drop"
					    : node < nr_blocks
						    ? "block"
						    : root_groups_kind(&question->groups,
								       node - nr_blocks));
	if (!error)
		error = heap_put_text(row, NAME, name_node(question, node));
	return error ? error : put_sentence(suspecting, row, node, point, is_drop);
}

static struct error *put_type(struct suspecting *suspecting, uint32_t type,
			      uint64_t blocks, uint64_t bytes)
{
	struct heap_question *question = suspecting->question;
	struct heap_row *row = heap_row_add(question->report, 0);
	struct str text = { 0 };
	if (!row)
		return error_no_memory();
	suspecting->told += bytes;
	heap_put(row, RETAINED, bytes);
	heap_put(row, SHARE, heap_share(bytes, question->report->all.bytes));
	heap_put_plural(&text, blocks, "block");
	str_puts(&text, " of this type, none of them a tenth of the heap, which no "
			"single variable or block keeps alive");
	struct error *error = heap_put_copy(row, KIND, "type");
	if (!error)
		error = heap_put_text(row, NAME,
				      block_table_name(&question->table, type));
	if (!error)
		return heap_put_text(row, SENTENCE, str_take(&text));
	str_deinit(&text);
	return error;
}

/* --- the answer ------------------------------------------------------------------------- */

static struct error *suspect_nodes(struct suspecting *suspecting)
{
	const struct dominators *dominators = &suspecting->question->dominators;
	const struct heap_tops *tops = &suspecting->tops;
	struct error *error = NULL;
	for (uint32_t i = 0; !error && i < tops->nr; i++) {
		uint64_t retained = dominators_retained(dominators, tops->nodes[i]);
		if (retained < suspecting->worth)
			continue;
		suspecting->told += retained;
		error = put_node(suspecting, tops->nodes[i], false);
	}
	return error;
}

/* Types of the topmost blocks that are no suspects one by one. */
static struct error *suspect_types(struct suspecting *suspecting)
{
	const struct heap_question *question = suspecting->question;
	uint64_t *sums = suspecting->by_type.memory;
	const struct heap_tops *tops = &suspecting->tops;
	struct error *error = NULL;
	for (uint32_t i = 0; i < tops->nr; i++) {
		const uint32_t node = tops->nodes[i];
		uint64_t retained = dominators_retained(&question->dominators, node);
		if (node >= question->dominators.nr_blocks ||
		    retained >= suspecting->worth)
			continue;
		uint32_t type = block_table_type(&question->table, node);
		sums[2 * type]++;
		sums[2 * type + 1] += retained;
	}
	for (uint32_t type = 0; !error && type < question->table.rows.nr; type++)
		if (sums[2 * type] && sums[2 * type + 1] >= suspecting->worth)
			error = put_type(suspecting, type, sums[2 * type],
					 sums[2 * type + 1]);
	return error;
}

/* --- big drops -------------------------------------------------------------------------- */

static bool is_told(const struct suspecting *suspecting, uint32_t point)
{
	for (size_t i = 0; i < suspecting->points.nr; i++)
		if (suspecting->points.items[i] == point)
			return true;
	return false;
}

/* Nodes that keep enough have few others beside them: all below the tops are gone through. */
static struct error *find_drops(struct suspecting *suspecting)
{
	const struct dominators *dominators = &suspecting->question->dominators;
	struct rank_vec waiting = { 0 };
	struct error *error = NULL;
	bool good = true;
	for (uint32_t i = 0; good && i < suspecting->tops.nr; i++)
		if (dominators_retained(dominators, suspecting->tops.nodes[i]) >=
		    suspecting->worth)
			good = rank_vec_push(&waiting, suspecting->tops.nodes[i]);
	while (good && !error && waiting.nr) {
		const uint32_t node = waiting.items[--waiting.nr];
		uint32_t nr = 0;
		const uint32_t *children =
			dominator_tree_children(&suspecting->tree, node, &nr);
		for (uint32_t i = 0; good && i < nr; i++)
			if (dominators_retained(dominators, children[i]) >=
			    suspecting->worth)
				good = rank_vec_push(&waiting, children[i]);
		if (next_down(suspecting, node) == RANK_NONE &&
		    !is_told(suspecting, node))
			error = put_node(suspecting, node, true);
	}
	rank_vec_deinit(&waiting);
	return good || error ? error : error_no_memory();
}

static int by_retained(const void *a, const void *b)
{
	const struct heap_row *left = a, *right = b;
	uint64_t of_left = left->cells[RETAINED].number;
	uint64_t of_right = right->cells[RETAINED].number;
	return of_left < of_right ? 1 : of_left > of_right ? -1 : 0;
}

static void sort_rows(const struct suspecting *suspecting)
{
	struct heap_row_vec *rows = &suspecting->question->report->rows;
	const size_t nr = suspecting->nr_suspects;
	if (nr)
		qsort(rows->items, nr, sizeof(rows->items[0]), by_retained);
	if (rows->nr > nr)
		qsort(rows->items + nr, rows->nr - nr, sizeof(rows->items[0]),
		      by_retained);
}

static struct error *say(const struct suspecting *suspecting)
{
	struct heap_report *report = suspecting->question->report;
	if (!report->rows.nr)
		return heap_say(report,
				"no variable, block or type keeps a tenth of %s alive "
				"alone",
				report->target);
	struct str suspects = { 0 };
	uint64_t share = heap_share(suspecting->told, report->all.bytes);
	heap_put_plural(&suspects, suspecting->nr_suspects, "suspect");
	struct error *error =
		heap_say(report, "%s: together %llu.%llu %% of %s", str_text(&suspects),
			 (unsigned long long)share / 100,
			 (unsigned long long)share / 10 % 10, report->target);
	str_deinit(&suspects);
	return error;
}

static struct error *answer(struct heap_question *question)
{
	struct suspecting suspecting = {
		.question = question,
		.worth = question->report->all.bytes / 100 * WORTH_PERCENT + 1,
	};
	struct error *error =
		dominator_tree_make(&question->dominators, &suspecting.tree);
	if (!error && !area_reserve(&suspecting.by_type,
				    (question->table.rows.nr + 1) * 2 * sizeof(uint64_t)))
		error = error_no_memory();
	if (!error)
		error = heap_tops_find(question, &suspecting.tree, &suspecting.tops);
	if (!error)
		error = suspect_nodes(&suspecting);
	if (!error)
		error = suspect_types(&suspecting);
	suspecting.nr_suspects = question->report->rows.nr;
	if (!error)
		error = find_drops(&suspecting);
	if (!error)
		sort_rows(&suspecting);
	if (!error)
		error = say(&suspecting);
	rank_vec_deinit(&suspecting.points);
	heap_tops_deinit(&suspecting.tops);
	area_release(&suspecting.by_type);
	dominator_tree_deinit(&suspecting.tree);
	return error;
}

const struct heap_view heap_suspects = {
	.name = "suspects",
	.columns = columns,
	.nr_columns = NR_COLUMNS,
	.answer = answer,
	.next = "dominators",
	.next_purpose = "what is below them",
};
