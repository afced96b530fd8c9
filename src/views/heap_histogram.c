/*
 * heap_histogram: what the heap is made of, by type.
 *
 * The least that a type retains is what its topmost blocks in the dominator tree retain. Exactly
 * it is what nothing would reach if all of them went: more, where several hold something together.
 */
#include "views/heap_bins.h"
#include "views/heap_by.h"
#include "views/heap_views_priv.h"

#include <string.h>

#include "base/bitmap.h"

/* What is exact is found one type after another; of so many blocks and edges in all unless it
   is asked for. */
#define EXACT_WORK 25000000u

enum { COUNT, SHALLOW, RETAINED, LEAST, LARGEST, LOST, TYPE, NR_COLUMNS };

#define COLUMNS(title_of_rows)                                                           \
	{                                                                                \
		[COUNT] = { "blocks", "blocks", HEAP_COUNT },                            \
		[SHALLOW] = { "bytes", "bytes", HEAP_BYTES },                            \
		[RETAINED] = { "retained_bytes", "retained", HEAP_BYTES },               \
		[LEAST] = { "retained_least_bytes", "at least", HEAP_BYTES },            \
		[LARGEST] = { "largest_bytes", NULL, HEAP_BYTES },                       \
		[LOST] = { "lost_blocks", NULL, HEAP_COUNT },                            \
		[TYPE] = { "type", title_of_rows, HEAP_TEXT },                           \
	}

static const struct heap_column columns[][NR_COLUMNS] = {
	[HEAP_BY_TYPE] = COLUMNS("type"),           [HEAP_BY_SIZE] = COLUMNS("size"),
	[HEAP_BY_ROOT] = COLUMNS("root"),           [HEAP_BY_SITE] = COLUMNS("site"),
	[HEAP_BY_ARENA] = COLUMNS("arena"),         [HEAP_BY_ZONE] = COLUMNS("zone"),
	[HEAP_BY_DOMINATOR] = COLUMNS("dominator"),
};

struct counting {
	struct heap_question *question;
	const struct block_table *table; /* by what blocks are counted */
	struct heap_bin_vec bins;
};

static struct error *put_exact(struct counting *counting, const struct heap_bin *bin,
			       uint64_t *bits, struct heap_row *row)
{
	const struct heap_question *question = counting->question;
	uint64_t nr = question->graph->nr_blocks;
	memset(bits, 0, bitmap_words(nr) * 8);
	for (uint32_t rank = 0; rank < nr; rank++)
		if (block_table_type(counting->table, rank) == bin->type &&
		    heap_is_wanted(question, rank))
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

static struct error *put_bin(struct counting *counting, const struct heap_bin *bin,
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
	size_t nr = counting->bins.nr, nr_shown = heap_rows_shown(question, nr);
	struct area bits = { 0 };
	struct error *error = NULL;
	if (is_quick(question, nr_shown) &&
	    !area_reserve(&bits, bitmap_words(question->graph->nr_blocks + 1) * 8))
		return error_no_memory();
	for (size_t i = 0; !error && i < nr_shown; i++)
		error = put_bin(counting, &counting->bins.items[i], bits.memory);
	area_release(&bits);
	return error;
}

static struct error *say(const struct counting *counting)
{
	struct heap_report *report = counting->question->report;
	uint64_t blocks = 0, bytes = 0;
	for (size_t i = 0; i < counting->bins.nr; i++) {
		blocks += counting->bins.items[i].blocks;
		bytes += counting->bins.items[i].bytes;
	}
	struct str text = { 0 };
	heap_put_bytes(&text, bytes);
	struct error *error = heap_say(report, "%s: %s in %llu blocks of %zu %s%s",
				       report->target, str_text(&text),
				       (unsigned long long)blocks, counting->bins.nr,
				       heap_by_noun(counting->question->options->by),
				       counting->bins.nr == 1 ? "" : "s");
	str_deinit(&text);
	return error;
}

static struct error *answer(struct heap_question *question)
{
	struct counting counting = { .question = question };
	struct heap_by by;
	struct error *error = heap_by_make(question, question->options->by, &by);
	question->report->columns = columns[question->options->by];
	counting.table = by.table;
	if (!error)
		error = heap_bins_count(question, counting.table, question->unwanted,
					true, &counting.bins);
	if (!error)
		error = put_bins(&counting);
	if (!error)
		error = say(&counting);
	heap_bin_vec_deinit(&counting.bins);
	heap_by_deinit(&by);
	return error;
}

const struct heap_view heap_histogram = {
	.name = "histogram",
	.columns = columns[HEAP_BY_TYPE],
	.nr_columns = NR_COLUMNS,
	.takes_by = true,
	.answer = answer,
	.next = "dominators",
	.next_purpose = "which blocks hold the most",
};
