/*
 * heap_retained: what would go with a block, all blocks of a type, or what a variable holds:
 * exact, by reaching all that is left. Rows are the types of what goes.
 */
#include "views/heap_asked.h"

#include "views/heap_bins.h"

enum { COUNT, BYTES, SHARE, TYPE, NR_COLUMNS };

static const struct heap_column columns[] = {
	[COUNT] = { "blocks", "blocks", HEAP_COUNT },
	[BYTES] = { "bytes", "bytes", HEAP_BYTES },
	[SHARE] = { "percent", "share", HEAP_PERCENT },
	[TYPE] = { "type", "type", HEAP_TEXT },
};

static struct error *put_types(struct heap_question *question,
			       const struct retained_set *set)
{
	struct heap_bin_vec bins;
	struct error *error = heap_bins_count(question, &question->table,
					      set->left.memory, false, &bins);
	size_t nr = heap_rows_shown(question, bins.nr);
	for (size_t i = 0; !error && i < nr; i++) {
		const struct heap_bin *bin = &bins.items[i];
		struct heap_row *row = heap_row_add(question->report, 0);
		if (!row)
			error = error_no_memory();
		if (error)
			break;
		heap_put(row, COUNT, bin->blocks);
		heap_put(row, BYTES, bin->bytes);
		heap_put(row, SHARE, heap_share(bin->bytes, set->bytes));
		error = heap_put_text(row, TYPE,
				      block_table_name(&question->table, bin->type));
	}
	heap_bin_vec_deinit(&bins);
	return error;
}

struct counting {
	const uint64_t *left; /* bitmap by rank */
	struct retained_set *set;
};

static void count_block(void *context, uint32_t rank, uint64_t address, uint64_t size)
{
	(void)address;
	struct counting *counting = context;
	if (bitmap_test(counting->left, rank))
		return;
	counting->set->blocks++;
	counting->set->bytes += size;
}

/* Only counts those of the blocks that go that the filter leaves. */
static void leave_wanted(const struct heap_question *question, struct retained_set *set)
{
	uint64_t *left = set->left.memory;
	struct counting counting = { .left = left, .set = set };
	for (size_t i = 0; i < bitmap_words(question->graph->nr_blocks); i++)
		left[i] |= question->unwanted[i];
	set->blocks = set->bytes = 0;
	space_each(&question->graph->space, count_block, &counting);
}

static struct error *say(struct heap_question *question, const struct heap_asked *asked,
			 const struct retained_set *set)
{
	struct str own = { 0 }, all = { 0 };
	heap_put_bytes(&own, asked->bytes);
	heap_put_bytes(&all, set->bytes);
	uint64_t share = heap_share(set->bytes, question->report->all.bytes);
	struct error *error = heap_say(
		question->report,
		"%s %s %s in %llu blocks (%llu.%llu %% of the heap); %s %s in %llu",
		asked->name, asked->kind == ASKED_ROOT ? "keeps alive" : "retains",
		str_text(&all), (unsigned long long)set->blocks,
		(unsigned long long)share / 100, (unsigned long long)share / 10 % 10,
		asked->kind == ASKED_ROOT ? "it points to" : "by itself it is",
		str_text(&own), (unsigned long long)asked->nr_blocks);
	str_deinit(&own);
	str_deinit(&all);
	return error;
}

static struct error *answer(struct heap_question *question)
{
	struct heap_asked asked;
	struct error *error = heap_asked_find(question, question->options->asked, &asked);
	struct retained_set set = { 0 };
	if (!error) {
		struct removal removal = heap_asked_removal(&asked);
		error = removal_retained(question->graph, &question->entries, &removal,
					 &set);
	}
	if (!error && question->unwanted)
		leave_wanted(question, &set);
	if (!error)
		error = put_types(question, &set);
	if (!error)
		error = say(question, &asked, &set);
	retained_set_deinit(&set);
	heap_asked_deinit(&asked);
	return error;
}

const struct heap_view heap_retained = {
	.name = "retained",
	.columns = columns,
	.nr_columns = NR_COLUMNS,
	.takes_asked = true,
	.answer = answer,
};
