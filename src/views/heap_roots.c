/*
 * heap_roots: what every variable, stack, register and mapping keeps alive: what nothing would
 * reach without it. What two of them hold neither of them keeps alone.
 */
#include "views/heap_views_priv.h"

#include <assert.h>

enum { RETAINED, SHARE, WORDS, HELD, KIND, THREAD, MODULE, SYMBOL, NAME, NR_COLUMNS };

static const struct heap_column columns[] = {
	[RETAINED] = { "retained_bytes", "retained", HEAP_BYTES },
	[SHARE] = { "percent", "share", HEAP_PERCENT },
	[WORDS] = { "words", "words", HEAP_COUNT },
	[HELD] = { "held_bytes", NULL, HEAP_BYTES },
	[KIND] = { "kind", NULL, HEAP_TEXT },
	[THREAD] = { "thread", NULL, HEAP_COUNT },
	[MODULE] = { "module", NULL, HEAP_TEXT },
	[SYMBOL] = { "symbol", NULL, HEAP_TEXT },
	[NAME] = { "root", "root", HEAP_TEXT },
};

struct ranked_group {
	uint32_t group;
	uint64_t retained;
};
DEFINE_VEC(ranked_group_vec, struct ranked_group);

static int by_retained(const void *a, const void *b)
{
	const struct ranked_group *left = a, *right = b;
	if (left->retained != right->retained)
		return left->retained < right->retained ? 1 : -1;
	return left->group < right->group ? -1 : left->group > right->group;
}

struct summing {
	const struct heap_question *question;
	const uint32_t *roots; /* by rank: group + 1 */
	struct ranked_group *groups;
	uint64_t shared; /* usable bytes that no root alone keeps alive */
};

static void add_block(void *context, uint32_t rank, uint64_t address, uint64_t size)
{
	(void)address;
	struct summing *summing = context;
	if (!heap_is_wanted(summing->question, rank))
		return;
	if (summing->roots[rank])
		summing->groups[summing->roots[rank] - 1].retained += size;
	else if (heap_is_live(summing->question, rank))
		summing->shared += size;
}

/* Of what they keep alive only what the filter leaves. */
static struct error *sum_wanted(const struct heap_question *question,
				struct ranked_group_vec *ranked, uint64_t *shared)
{
	struct area roots = { 0 };
	struct error *error = heap_find_roots(question, &roots);
	struct summing summing = { question, roots.memory, ranked->items, 0 };
	size_t nr = 0;
	if (!error)
		space_each(&question->graph->space, add_block, &summing);
	for (size_t i = 0; i < ranked->nr; i++)
		if (ranked->items[i].retained)
			ranked->items[nr++] = ranked->items[i];
	ranked->nr = nr;
	*shared = summing.shared;
	area_release(&roots);
	return error;
}

static struct error *rank_groups(const struct heap_question *question,
				 struct ranked_group_vec *ranked, uint64_t *shared)
{
	struct error *error = NULL;
	uint64_t alone = 0;
	for (uint32_t i = 0; i < question->groups.groups.nr; i++) {
		struct ranked_group group = { .group = i };
		if (!question->unwanted)
			group.retained = dominators_retained(
				&question->dominators, heap_group_node(question, i));
		alone += group.retained;
		if (!ranked_group_vec_push(ranked, group))
			return error_no_memory();
	}
	const uint64_t live = question->report->live.bytes;
	*shared = live > alone ? live - alone : 0;
	if (question->unwanted)
		error = sum_wanted(question, ranked, shared);
	if (error)
		return error;
	if (ranked->nr)
		qsort(ranked->items, ranked->nr, sizeof(ranked->items[0]), by_retained);
	return NULL;
}

/* Usable bytes of the blocks that it points to, each as often as it does. */
static uint64_t held_bytes(const struct heap_question *question, uint32_t group)
{
	struct edge_run run = entries_of_group(&question->entries, group);
	uint64_t bytes = 0;
	for (uint64_t i = 0; i < run.nr; i++) {
		uint64_t address = 0, size = 0;
		space_block(&question->graph->space, edge_rank(run.edges[i]), &address,
			    &size);
		bytes += size;
	}
	return bytes;
}

static struct error *put_group(struct heap_question *question,
			       const struct ranked_group *ranked)
{
	const struct root_groups *groups = &question->groups;
	const struct root_group *group = &groups->groups.items[ranked->group];
	struct heap_row *row = heap_row_add(question->report, 0);
	if (!row)
		return error_no_memory();
	pid_t tid = root_thread(&groups->roots->items[group->first]);
	struct symbol_name place = root_groups_symbol(groups, ranked->group);
	heap_put(row, RETAINED, ranked->retained);
	heap_put(row, SHARE, heap_share(ranked->retained, question->report->all.bytes));
	heap_put(row, WORDS, group->words);
	heap_put(row, HELD, held_bytes(question, ranked->group));
	if (tid)
		heap_put(row, THREAD, (uint64_t)tid);
	struct error *error =
		heap_put_copy(row, KIND, root_groups_kind(groups, ranked->group));
	if (!error)
		error = heap_put_copy(row, MODULE, place.module);
	if (!error)
		error = heap_put_copy(row, SYMBOL, place.function);
	return error ? error
		     : heap_put_text(row, NAME, root_groups_name(groups, ranked->group));
}

static struct error *say(struct heap_question *question,
			 const struct ranked_group_vec *ranked, uint64_t shared)
{
	struct heap_report *report = question->report;
	if (!ranked->nr || !report->rows.nr)
		return heap_say(report, "nothing alone keeps %s block of %s alive",
				question->unwanted ? "such a" : "a", report->target);
	struct str most = { 0 }, rest = { 0 };
	heap_put_bytes(&most, ranked->items[0].retained);
	heap_put_bytes(&rest, shared);
	struct error *error = heap_say(
		report, "%s alone keeps %s of %s alive; %s is held from several places",
		report->rows.items[0].cells[NAME].text, str_text(&most), report->target,
		str_text(&rest));
	str_deinit(&most);
	str_deinit(&rest);
	return error;
}

static struct error *answer(struct heap_question *question)
{
	struct ranked_group_vec ranked = { 0 };
	uint64_t shared = 0;
	struct error *error = rank_groups(question, &ranked, &shared);
	size_t nr = heap_rows_shown(question, ranked.nr);
	assert(error || !nr || ranked.items);
	for (size_t i = 0; !error && i < nr; i++)
		error = put_group(question, &ranked.items[i]);
	if (!error)
		error = say(question, &ranked, shared);
	ranked_group_vec_deinit(&ranked);
	return error;
}

const struct heap_view heap_roots = {
	.name = "roots",
	.columns = columns,
	.nr_columns = NR_COLUMNS,
	.answer = answer,
	.next = "dominators",
	.next_purpose = "what is below them",
};
