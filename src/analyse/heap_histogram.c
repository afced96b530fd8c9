/*
 * heap_histogram: what the heap is made of, by type.
 *
 * The least that a type retains is what its topmost blocks in the dominator tree retain. Exactly
 * it is what nothing would reach if all of them went: more, where several hold something together.
 */
#include "analyse/heap_views_priv.h"

#include <string.h>

#include "base/bitmap.h"

/* What is exact is found one type after another; of so many blocks and edges in all unless it
   is asked for. */
#define EXACT_WORK 400000000u

enum { COUNT, SHALLOW, RETAINED, LEAST, LARGEST, LOST, TYPE, NR_COLUMNS };

static const struct heap_column columns[] = {
	[COUNT] = { "blocks", "blocks", HEAP_COUNT },
	[SHALLOW] = { "bytes", "bytes", HEAP_BYTES },
	[RETAINED] = { "retained_bytes", "retained", HEAP_BYTES },
	[LEAST] = { "retained_least_bytes", "at least", HEAP_BYTES },
	[LARGEST] = { "largest_bytes", NULL, HEAP_BYTES },
	[LOST] = { "lost_blocks", NULL, HEAP_COUNT },
	[TYPE] = { "type", "type", HEAP_TEXT },
};

struct bin {
	uint32_t type;
	uint64_t blocks, bytes, least, largest, lost;
	uint32_t open; /* blocks of it above the one at hand */
};
DEFINE_VEC(bin_vec, struct bin);

struct counting {
	struct dominator_visitor visitor; /* first */
	struct heap_question *question;
	const struct block_table *table;
	struct bin_vec bins; /* by type, then sorted */
};

static void count_block(void *context, uint32_t rank, uint64_t address, uint64_t size)
{
	(void)address;
	struct counting *counting = context;
	struct bin *bin = &counting->bins.items[block_table_type(counting->table, rank)];
	bin->blocks++;
	bin->bytes += size;
	bin->largest = size > bin->largest ? size : bin->largest;
	bin->lost += !heap_is_live(counting->question, rank);
}

static void enter(struct dominator_visitor *visitor, uint32_t rank)
{
	struct counting *counting = (struct counting *)visitor;
	struct bin *bin = &counting->bins.items[block_table_type(counting->table, rank)];
	if (!bin->open++)
		bin->least += dominators_retained(&counting->question->dominators, rank);
}

static void leave(struct dominator_visitor *visitor, uint32_t rank)
{
	struct counting *counting = (struct counting *)visitor;
	counting->bins.items[block_table_type(counting->table, rank)].open--;
}

static struct error *count(struct counting *counting)
{
	struct heap_question *question = counting->question;
	struct dominator_tree tree;
	for (uint32_t i = 0; i < counting->table->rows.nr; i++)
		if (!bin_vec_push(&counting->bins, (struct bin){ .type = i }))
			return error_no_memory();
	space_each(&question->graph->space, count_block, counting);
	struct error *error = dominator_tree_make(&question->dominators, &tree);
	if (error)
		return error;
	counting->visitor = (struct dominator_visitor){ enter, leave };
	error = dominator_tree_walk(&tree, &counting->visitor);
	dominator_tree_deinit(&tree);
	return error;
}

static int by_least(const void *a, const void *b)
{
	const struct bin *left = a, *right = b;
	if (left->least != right->least)
		return left->least < right->least ? 1 : -1;
	if (left->bytes != right->bytes)
		return left->bytes < right->bytes ? 1 : -1;
	return left->type < right->type ? -1 : left->type > right->type;
}

static struct error *put_exact(struct counting *counting, const struct bin *bin,
			       uint64_t *bits, struct heap_row *row)
{
	const struct heap_question *question = counting->question;
	uint64_t nr = question->graph->nr_blocks;
	memset(bits, 0, bitmap_words(nr) * 8);
	for (uint32_t rank = 0; rank < nr; rank++)
		if (block_table_type(counting->table, rank) == bin->type)
			bitmap_set(bits, rank);
	const struct removal removal = { .blocks = bits };
	struct retained_set set;
	struct error *error =
		removal_retained(question->graph, &question->entries, &removal, &set);
	if (error)
		return error;
	heap_put(row, RETAINED, set.bytes);
	retained_set_deinit(&set);
	return NULL;
}

static struct error *put_bin(struct counting *counting, const struct bin *bin,
			     uint64_t *bits)
{
	struct heap_row *row = heap_row_add(counting->question->report, 0);
	if (!row)
		return error_no_memory();
	heap_put(row, COUNT, bin->blocks);
	heap_put(row, SHALLOW, bin->bytes);
	heap_put(row, LEAST, bin->least);
	heap_put(row, LARGEST, bin->largest);
	heap_put(row, LOST, bin->lost);
	struct error *error =
		heap_put_text(row, TYPE, block_table_name(counting->table, bin->type));
	return error || !bits ? error : put_exact(counting, bin, bits, row);
}

static bool is_quick(const struct heap_question *question, size_t nr_rows)
{
	uint64_t work = question->graph->nr_blocks + question->graph->nr_edges;
	return question->options->exact || work * nr_rows <= EXACT_WORK;
}

static struct error *put_bins(struct counting *counting)
{
	struct heap_question *question = counting->question;
	unsigned max = question->options->max_rows;
	size_t nr = counting->bins.nr;
	size_t nr_shown = max && nr > max ? max : nr;
	struct area bits = { 0 };
	struct error *error = NULL;
	if (is_quick(question, nr_shown) &&
	    !area_reserve(&bits, bitmap_words(question->graph->nr_blocks + 1) * 8))
		return error_no_memory();
	if (nr)
		qsort(counting->bins.items, nr, sizeof(struct bin), by_least);
	for (size_t i = 0; !error && i < nr_shown; i++)
		error = put_bin(counting, &counting->bins.items[i], bits.memory);
	question->report->rows_left_out = nr - nr_shown;
	area_release(&bits);
	return error;
}

static struct error *say(const struct counting *counting)
{
	struct heap_report *report = counting->question->report;
	struct str text = { 0 };
	heap_put_bytes(&text, report->all.bytes);
	struct error *error = heap_say(report, "%s: %s in %llu blocks of %zu types",
				       report->target, str_text(&text),
				       (unsigned long long)report->all.blocks,
				       counting->bins.nr);
	str_deinit(&text);
	return error;
}

static struct error *answer(struct heap_question *question)
{
	struct counting counting = { .question = question, .table = &question->table };
	struct error *error = count(&counting);
	if (!error)
		error = put_bins(&counting);
	if (!error)
		error = say(&counting);
	bin_vec_deinit(&counting.bins);
	return error;
}

const struct heap_view heap_histogram = {
	.name = "histogram",
	.columns = columns,
	.nr_columns = NR_COLUMNS,
	.answer = answer,
	.next = "dominators",
	.next_purpose = "which blocks hold the most",
};
