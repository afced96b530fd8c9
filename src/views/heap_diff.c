/*
 * heap_diff: what came and went since earlier snapshots of the same process; and
 * heap_abandoned: what is reachable, was never touched since it was first seen, and becomes more and
 * more, which is what a leak looks like that a variable still holds.
 */
#include <stdlib.h>

#include "views/heap_past.h"

/* --- diff ----------------------------------------------------------------------------- */

enum {
	BEFORE,
	BYTES,
	NEW,
	GONE,
	SAME,
	UNTOUCHED,
	NEW_BLOCKS,
	GONE_BLOCKS,
	TYPE,
	NR_COLUMNS
};

#define COLUMNS(title_of_rows)                                                           \
	{                                                                                \
		[BEFORE] = { "bytes_before", "before", HEAP_BYTES },                     \
		[BYTES] = { "bytes", "now", HEAP_BYTES },                                \
		[NEW] = { "new_bytes", "new", HEAP_BYTES },                              \
		[GONE] = { "gone_bytes", "gone", HEAP_BYTES },                           \
		[SAME] = { "same_bytes", NULL, HEAP_BYTES },                             \
		[UNTOUCHED] = { "untouched_bytes", "untouched", HEAP_BYTES },            \
		[NEW_BLOCKS] = { "new_blocks", NULL, HEAP_COUNT },                       \
		[GONE_BLOCKS] = { "gone_blocks", NULL, HEAP_COUNT },                     \
		[TYPE] = { "type", title_of_rows, HEAP_TEXT },                           \
	}

static const struct heap_column diff_columns[][NR_COLUMNS] = {
	[HEAP_BY_TYPE] = COLUMNS("type"),           [HEAP_BY_SIZE] = COLUMNS("size"),
	[HEAP_BY_ROOT] = COLUMNS("root"),           [HEAP_BY_SITE] = COLUMNS("site"),
	[HEAP_BY_ARENA] = COLUMNS("arena"),         [HEAP_BY_ZONE] = COLUMNS("zone"),
	[HEAP_BY_DOMINATOR] = COLUMNS("dominator"),
};

struct change {
	uint32_t row;
	uint64_t before, bytes, new_bytes, new_blocks, gone, gone_blocks, same, untouched;
};
DEFINE_VEC(change_vec, struct change);

struct diffing {
	struct heap_question *question;
	struct heap_past past;
	struct change_vec changes;
};

static void count_change(void *context, uint32_t rank, uint64_t address, uint64_t size)
{
	(void)address;
	struct diffing *diffing = context;
	if (!heap_is_wanted(diffing->question, rank))
		return;
	struct change *change =
		&diffing->changes.items[block_table_type(diffing->past.now.table, rank)];
	bool is_new = heap_past_born(&diffing->past, rank) > 0;
	change->bytes += size;
	change->new_bytes += is_new ? size : 0;
	change->new_blocks += is_new;
	change->same += is_new ? 0 : size;
	change->untouched += heap_past_untouched(&diffing->past, rank) ? 0 : size;
}

static int by_growth(const void *a, const void *b)
{
	const struct change *left = a, *right = b;
	int64_t of_left = (int64_t)(left->bytes - left->before);
	int64_t of_right = (int64_t)(right->bytes - right->before);
	if (of_left != of_right)
		return of_left < of_right ? 1 : -1;
	return left->row < right->row ? -1 : left->row > right->row;
}

/* Rows that no look has a block of tell nothing. */
static void keep_met(struct change_vec *changes)
{
	size_t kept = 0;
	for (size_t i = 0; i < changes->nr; i++)
		if (changes->items[i].bytes || changes->items[i].before)
			changes->items[kept++] = changes->items[i];
	changes->nr = kept;
}

static struct error *count_changes(struct diffing *diffing)
{
	const struct past_amount *amounts = diffing->past.looks.items[0].amounts.memory;
	for (uint32_t i = 0; i < diffing->past.names.nr; i++) {
		struct change change = {
			.row = i,
			.before = amounts[i].bytes,
			.gone = amounts[i].gone_bytes,
			.gone_blocks = amounts[i].gone_blocks,
		};
		if (!change_vec_push(&diffing->changes, change))
			return error_no_memory();
	}
	space_each(&diffing->question->graph->space, count_change, diffing);
	keep_met(&diffing->changes);
	if (diffing->changes.nr)
		qsort(diffing->changes.items, diffing->changes.nr,
		      sizeof(diffing->changes.items[0]), by_growth);
	return NULL;
}

static struct error *put_change(const struct diffing *diffing,
				const struct change *change)
{
	struct heap_row *row = heap_row_add(diffing->question->report, 0);
	if (!row)
		return error_no_memory();
	heap_put(row, BEFORE, change->before);
	heap_put(row, BYTES, change->bytes);
	heap_put(row, NEW, change->new_bytes);
	heap_put(row, GONE, change->gone);
	heap_put(row, SAME, change->same);
	heap_put(row, UNTOUCHED, change->untouched);
	heap_put(row, NEW_BLOCKS, change->new_blocks);
	heap_put(row, GONE_BLOCKS, change->gone_blocks);
	return heap_put_copy(row, TYPE, diffing->past.names.items[change->row]);
}

static struct error *say_diff(const struct diffing *diffing)
{
	struct change all = { 0 };
	for (size_t i = 0; i < diffing->changes.nr; i++) {
		all.new_bytes += diffing->changes.items[i].new_bytes;
		all.gone += diffing->changes.items[i].gone;
		all.untouched += diffing->changes.items[i].untouched;
	}
	struct str came = { 0 }, went = { 0 }, untouched = { 0 };
	heap_put_bytes(&came, all.new_bytes);
	heap_put_bytes(&went, all.gone);
	heap_put_bytes(&untouched, all.untouched);
	struct error *error = heap_say(diffing->question->report,
				       "since %s %s came to %s, %s went, %s are there "
				       "untouched",
				       diffing->past.looks.items[0].file, str_text(&came),
				       diffing->question->report->target, str_text(&went),
				       str_text(&untouched));
	str_deinit(&came);
	str_deinit(&went);
	str_deinit(&untouched);
	return error;
}

static struct error *needs_looks(struct error *error, const struct heap_past *past,
				 size_t nr, const char *what)
{
	if (error || past->looks.nr >= nr)
		return error;
	return error_remedy(error_create(ERROR_USAGE, "%s", what),
			    "take one with: seep snapshot -o FILE TARGET");
}

static struct error *answer_diff(struct heap_question *question)
{
	struct diffing diffing = { .question = question };
	const enum analyse_heap_by by = question->options->by;
	struct error *error = heap_past_load(question, by, &diffing.past);
	question->report->columns = diff_columns[by];
	error = needs_looks(error, &diffing.past, 1,
			    "the view diff needs an earlier snapshot to compare with");
	if (!error)
		error = count_changes(&diffing);
	size_t nr = error ? 0 : heap_rows_shown(question, diffing.changes.nr);
	for (size_t i = 0; !error && i < nr; i++)
		error = put_change(&diffing, &diffing.changes.items[i]);
	if (!error)
		error = say_diff(&diffing);
	change_vec_deinit(&diffing.changes);
	heap_past_deinit(&diffing.past);
	return error;
}

const struct heap_view heap_diff = {
	.name = "diff",
	.columns = diff_columns[HEAP_BY_TYPE],
	.nr_columns = NR_COLUMNS,
	.takes_others = true,
	.needs_hashes = true,
	.takes_by = true,
	.answer = answer_diff,
};

/* --- abandoned ------------------------------------------------------------------------ */

enum { A_BYTES, A_BLOCKS, A_LOOKS, A_TOTAL, A_ADDRESS, A_ROOT, A_TYPE, A_NR_COLUMNS };

static const struct heap_column abandoned_columns[] = {
	[A_BYTES] = { "abandoned_bytes", "abandoned", HEAP_BYTES },
	[A_BLOCKS] = { "abandoned_blocks", "blocks", HEAP_COUNT },
	[A_LOOKS] = { "intervals", "grew in", HEAP_COUNT },
	[A_TOTAL] = { "bytes", "of", HEAP_BYTES },
	[A_ADDRESS] = { "address", NULL, HEAP_ADDRESS },
	[A_ROOT] = { "root", NULL, HEAP_TEXT },
	[A_TYPE] = { "type", "type, and what keeps it", HEAP_TEXT },
};

/* Blocks of one type that one root keeps alive. */
struct hoard {
	uint32_t type, root; /* of the group + 1; 0: several keep it */
	uint64_t bytes;      /* all of them */
	uint64_t abandoned, blocks, address;
	/* Which intervals between looks it got such blocks in: a bit for each, the last 64. */
	uint64_t intervals;
};
DEFINE_VEC(hoard_vec, struct hoard);

struct hoarding {
	struct heap_question *question;
	struct heap_past past;
	struct area roots; /* uint32_t by node */
	struct map ids;    /* + 1, by type and root */
	struct hoard_vec hoards;
	struct area totals; /* uint64_t by type: bytes of it now */
	bool failed;
};

static struct hoard *hoard_of(struct hoarding *hoarding, uint32_t rank)
{
	uint32_t type = block_table_type(&hoarding->question->table, rank);
	uint32_t root = ((const uint32_t *)hoarding->roots.memory)[rank];
	uint64_t *id = map_at(&hoarding->ids, (uint64_t)root << 32 | type);
	struct hoard hoard = { .type = type, .root = root };
	if (id && !*id && hoard_vec_push(&hoarding->hoards, hoard))
		*id = hoarding->hoards.nr;
	hoarding->failed |= !id || !*id;
	return hoarding->failed ? NULL : &hoarding->hoards.items[*id - 1];
}

/* It came between two looks, and at least one look later it was as it had been. */
static bool is_abandoned(const struct hoarding *hoarding, uint32_t rank)
{
	unsigned born = heap_past_born(&hoarding->past, rank);
	return heap_is_live(hoarding->question, rank) && born > 0 &&
	       born < hoarding->past.looks.nr &&
	       heap_past_untouched(&hoarding->past, rank) == born;
}

static void count_hoard(void *context, uint32_t rank, uint64_t address, uint64_t size)
{
	struct hoarding *hoarding = context;
	struct hoard *hoard = heap_is_wanted(hoarding->question, rank)
				      ? hoard_of(hoarding, rank)
				      : NULL;
	if (!hoard)
		return;
	hoard->bytes += size;
	((uint64_t *)hoarding->totals.memory)[hoard->type] += size;
	if (!is_abandoned(hoarding, rank))
		return;
	hoard->abandoned += size;
	hoard->blocks++;
	hoard->address = hoard->address ? hoard->address : address;
	hoard->intervals |= (uint64_t)1 << heap_past_born(&hoarding->past, rank) % 64;
}

/* The type has become more from each look to the next. */
static bool type_grows(const struct hoarding *hoarding, uint32_t type)
{
	const struct past_look_vec *looks = &hoarding->past.looks;
	uint64_t before = 0;
	for (size_t i = 0; i < looks->nr; i++) {
		const struct past_amount *amounts = looks->items[i].amounts.memory;
		if (i && amounts[type].bytes <= before)
			return false;
		before = amounts[type].bytes;
	}
	return ((const uint64_t *)hoarding->totals.memory)[type] > before;
}

static unsigned nr_intervals(const struct hoard *hoard)
{
	return (unsigned)__builtin_popcountll(hoard->intervals);
}

static void keep_growing(struct hoarding *hoarding)
{
	size_t kept = 0, nr_looks = hoarding->past.looks.nr;
	unsigned most = nr_looks - 1 < 64 ? (unsigned)nr_looks - 1 : 64;
	for (size_t i = 0; i < hoarding->hoards.nr; i++) {
		const struct hoard *hoard = &hoarding->hoards.items[i];
		if (hoard->abandoned && nr_intervals(hoard) == most &&
		    type_grows(hoarding, hoard->type))
			hoarding->hoards.items[kept++] = *hoard;
	}
	hoarding->hoards.nr = kept;
}

static int by_abandoned(const void *a, const void *b)
{
	const struct hoard *left = a, *right = b;
	if (left->abandoned != right->abandoned)
		return left->abandoned < right->abandoned ? 1 : -1;
	return left->address < right->address ? -1 : left->address > right->address;
}

static struct error *put_hoard(struct heap_question *question, const struct hoard *hoard)
{
	struct heap_row *row = heap_row_add(question->report, 0);
	if (!row)
		return error_no_memory();
	heap_put(row, A_BYTES, hoard->abandoned);
	heap_put(row, A_BLOCKS, hoard->blocks);
	heap_put(row, A_LOOKS, nr_intervals(hoard));
	heap_put(row, A_TOTAL, hoard->bytes);
	heap_put(row, A_ADDRESS, hoard->address);
	char *type = block_table_name(&question->table, hoard->type);
	struct error *error = type ? NULL : error_no_memory();
	struct str text = { 0 };
	if (!error && hoard->root)
		error = heap_put_text(row, A_ROOT,
				      root_groups_name(&question->groups,
						       hoard->root - 1));
	if (!error) {
		str_printf(&text, "%s, by %s", type,
			   hoard->root ? row->cells[A_ROOT].text : "several");
		error = heap_put_text(row, A_TYPE, str_take(&text));
	}
	free(type);
	return error;
}

static struct error *say_abandoned(const struct hoarding *hoarding)
{
	struct heap_report *report = hoarding->question->report;
	size_t nr_looks = hoarding->past.looks.nr + 1;
	uint64_t bytes = 0;
	for (size_t i = 0; i < hoarding->hoards.nr; i++)
		bytes += hoarding->hoards.items[i].abandoned;
	if (!hoarding->hoards.nr)
		return heap_say(report,
				"nothing that is held became more in each of %zu looks "
				"at %s without being touched",
				nr_looks, report->target);
	struct str text = { 0 };
	heap_put_bytes(&text, bytes);
	struct error *error = heap_say(
		report,
		"%s of %s look abandoned: held, untouched since they came, and more in "
		"each of %zu looks",
		str_text(&text), report->target, nr_looks);
	str_deinit(&text);
	return error;
}

static struct error *answer_abandoned(struct heap_question *question)
{
	struct hoarding hoarding = { .question = question };
	struct error *error = heap_past_load(question, HEAP_BY_TYPE, &hoarding.past);
	error = needs_looks(error, &hoarding.past, 2,
			    "the view abandoned needs two earlier snapshots and more");
	if (!error)
		error = heap_find_roots(question, &hoarding.roots);
	if (!error && !area_reserve(&hoarding.totals,
				    (question->table.rows.nr + 1) * sizeof(uint64_t)))
		error = error_no_memory();
	if (!error)
		space_each(&question->graph->space, count_hoard, &hoarding);
	if (!error && hoarding.failed)
		error = error_no_memory();
	if (!error)
		keep_growing(&hoarding);
	if (!error && hoarding.hoards.nr)
		qsort(hoarding.hoards.items, hoarding.hoards.nr,
		      sizeof(hoarding.hoards.items[0]), by_abandoned);
	size_t nr = error ? 0 : heap_rows_shown(question, hoarding.hoards.nr);
	for (size_t i = 0; !error && i < nr; i++)
		error = put_hoard(question, &hoarding.hoards.items[i]);
	if (!error)
		error = say_abandoned(&hoarding);
	hoard_vec_deinit(&hoarding.hoards);
	map_deinit(&hoarding.ids);
	area_release(&hoarding.roots);
	area_release(&hoarding.totals);
	heap_past_deinit(&hoarding.past);
	return error;
}

const struct heap_view heap_abandoned = {
	.name = "abandoned",
	.columns = abandoned_columns,
	.nr_columns = A_NR_COLUMNS,
	.takes_others = true,
	.needs_hashes = true,
	.answer = answer_abandoned,
};
