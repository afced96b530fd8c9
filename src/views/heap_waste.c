/*
 * heap_waste: memory that is allocated and does nothing, by type: blocks of nothing but zeros; what
 * the allocator gave beyond what was asked for, where that was recorded; and what containers keep for
 * elements that they do not have, where types tell.
 */
#include <assert.h>
#include <stdlib.h>

#include "analyse/hashes.h"
#include "views/heap_views_priv.h"

enum { ALL, ZEROS, SLACK, SPARE, BLOCKS, ADDRESS, TYPE, NR_COLUMNS };

static const struct heap_column columns[] = {
	[ALL] = { "wasted_bytes", "wasted", HEAP_BYTES },
	[ZEROS] = { "zero_bytes", "zeros", HEAP_BYTES },
	[SLACK] = { "slack_bytes", "slack", HEAP_BYTES },
	[SPARE] = { "spare_bytes", "spare", HEAP_BYTES },
	[BLOCKS] = { "blocks", "blocks", HEAP_COUNT },
	[ADDRESS] = { "address", "address", HEAP_ADDRESS },
	[TYPE] = { "type", "type", HEAP_TEXT },
};

/* Of blocks of one type. */
struct waste {
	uint32_t type;
	uint64_t zeros, slack, spare, blocks, address;
};
DEFINE_VEC(waste_vec, struct waste);

struct wasting {
	struct heap_question *question;
	struct waste_vec rows; /* by type, then sorted */
};

static uint64_t sum(const struct waste *waste)
{
	return waste->zeros + waste->slack + waste->spare;
}

static bool is_void(const struct heap_question *question, uint32_t rank, uint64_t size)
{
	uint32_t hash = heap_hash(question, rank);
	return hash && hash == hash_of_zeros(size);
}

/* A block of zeros is wasted as a whole, and counts as that alone. */
static struct waste waste_of(const struct heap_question *question, uint32_t rank,
			     uint64_t size)
{
	const struct look *look = &question->inspection.look;
	const struct block_request *request = block_request(&look->sites, rank);
	if (is_void(question, rank, size))
		return (struct waste){ .zeros = size };
	return (struct waste){
		.slack = request && request->size < size ? size - request->size : 0,
		.spare = typing_spare(&look->typing, rank),
	};
}

static void count_block(void *context, uint32_t rank, uint64_t address, uint64_t size)
{
	struct wasting *wasting = context;
	struct heap_question *question = wasting->question;
	const struct waste waste = waste_of(question, rank, size);
	if (!sum(&waste) || !heap_is_wanted(question, rank))
		return;
	struct waste *row =
		&wasting->rows.items[block_table_type(&question->table, rank)];
	row->zeros += waste.zeros;
	row->slack += waste.slack;
	row->spare += waste.spare;
	row->blocks++;
	row->address = row->address ? row->address : address;
}

static int by_bytes(const void *a, const void *b)
{
	const struct waste *left = a, *right = b;
	if (sum(left) != sum(right))
		return sum(left) < sum(right) ? 1 : -1;
	return left->type < right->type ? -1 : left->type > right->type;
}

static struct error *count(struct wasting *wasting)
{
	struct waste_vec *rows = &wasting->rows;
	size_t kept = 0;
	for (uint32_t i = 0; i < wasting->question->table.rows.nr; i++)
		if (!waste_vec_push(rows, (struct waste){ .type = i }))
			return error_no_memory();
	space_each(&wasting->question->graph->space, count_block, wasting);
	for (size_t i = 0; i < rows->nr; i++)
		if (rows->items[i].blocks)
			rows->items[kept++] = rows->items[i];
	rows->nr = kept;
	if (kept)
		qsort(rows->items, kept, sizeof(rows->items[0]), by_bytes);
	return NULL;
}

static bool knows_slack(const struct heap_question *question)
{
	return block_sites_are_known(&question->inspection.look.sites);
}

static bool knows_spare(const struct heap_question *question)
{
	return question->inspection.look.typing.spare.memory;
}

static struct error *put(struct heap_question *question, const struct waste *waste)
{
	struct heap_row *row = heap_row_add(question->report, 0);
	if (!row)
		return error_no_memory();
	heap_put(row, ALL, sum(waste));
	heap_put(row, ZEROS, waste->zeros);
	if (knows_slack(question))
		heap_put(row, SLACK, waste->slack);
	if (knows_spare(question))
		heap_put(row, SPARE, waste->spare);
	heap_put(row, BLOCKS, waste->blocks);
	heap_put(row, ADDRESS, waste->address);
	return heap_put_text(row, TYPE, block_table_name(&question->table, waste->type));
}

static void put_part(struct str *out, const char *before, uint64_t bytes,
		     const char *what)
{
	str_puts(out, before);
	heap_put_bytes(out, bytes);
	str_printf(out, " %s", what);
}

static const char *unknown_of(const struct heap_question *question)
{
	static const char *const sentences[2][2] = {
		{ "; what was asked for and what containers keep is not known",
		  "; what was asked for is not known" },
		{ "; what containers keep for more elements is not known", "" },
	};
	return sentences[knows_slack(question)][knows_spare(question)];
}

static struct error *say(const struct wasting *wasting)
{
	struct heap_question *question = wasting->question;
	struct waste all = { 0 };
	struct str text = { 0 };
	for (size_t i = 0; i < wasting->rows.nr; i++) {
		all.zeros += wasting->rows.items[i].zeros;
		all.slack += wasting->rows.items[i].slack;
		all.spare += wasting->rows.items[i].spare;
	}
	heap_put_bytes(&text, sum(&all));
	str_printf(&text, " of %s wasted: ", question->report->target);
	put_part(&text, "", all.zeros, "in blocks of nothing but zeros");
	if (knows_slack(question))
		put_part(&text, ", ", all.slack, "beyond what was asked for");
	if (knows_spare(question))
		put_part(&text, ", ", all.spare, "kept by containers for more elements");
	str_puts(&text, unknown_of(question));
	struct error *error = heap_say(question->report, "%s", str_text(&text));
	str_deinit(&text);
	return error;
}

static struct error *answer(struct heap_question *question)
{
	struct wasting wasting = { .question = question };
	struct error *error = heap_needs_hashes(question);
	if (!error)
		error = count(&wasting);
	size_t nr = error ? 0 : heap_rows_shown(question, wasting.rows.nr);
	assert(!nr || wasting.rows.items);
	for (size_t i = 0; !error && i < nr; i++)
		error = put(question, &wasting.rows.items[i]);
	if (!error)
		error = say(&wasting);
	waste_vec_deinit(&wasting.rows);
	return error;
}

const struct heap_view heap_waste = {
	.name = "waste",
	.columns = columns,
	.nr_columns = NR_COLUMNS,
	.needs_hashes = true,
	.answer = answer,
};
