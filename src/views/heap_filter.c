/*
 * heap_filter: asks a filter of all blocks of a heap. Names are asked once for each type and
 * each root; the root of a block is the one that keeps it alive alone.
 */
#include <stdlib.h>
#include <string.h>

#include "views/block_filter.h"
#include "views/heap_views_priv.h"

struct filtering {
	struct heap_question *question;
	struct block_filter filter;
	struct area
		answers; /* of conditions of names: bool by type or group, one after another */
	size_t *starts;    /* of each condition's among them */
	struct area roots; /* uint32_t by node: its root's group + 1; 0: none */
};

static const struct block_sites *sites_of(const struct heap_question *question)
{
	return &question->inspection.look.sites;
}

static size_t nr_names(const struct heap_question *question,
		       const struct filter_condition *condition)
{
	if (condition->field == FILTER_TYPE)
		return question->table.rows.nr;
	if (condition->field == FILTER_SITE)
		return sites_of(question)->sites.nr;
	/* One more for blocks that no root keeps alone. */
	return question->groups.groups.nr + 1;
}

static char *name_of(const struct heap_question *question,
		     const struct filter_condition *condition, size_t i)
{
	if (condition->field == FILTER_TYPE)
		return block_table_name(&question->table, (uint32_t)i);
	if (condition->field == FILTER_SITE)
		return strdup(sites_of(question)->sites.items[i].stack);
	return i ? root_groups_name(&question->groups, (uint32_t)i - 1) : strdup("");
}

/* "cache" is enough for "app:cache". */
static bool names(const struct filtering *filtering,
		  const struct filter_condition *condition, size_t i, const char *name)
{
	struct symbol_name variable = { 0 };
	if (condition->field == FILTER_ROOT && i)
		variable = root_groups_variable(&filtering->question->groups,
						(uint32_t)i - 1);
	bool negated = condition->op == FILTER_UNEQUAL || condition->op == FILTER_UNMATCH;
	bool whole = filter_condition_names(condition, name);
	if (!variable.function)
		return whole;
	bool part = filter_condition_names(condition, variable.function);
	return negated ? whole && part : whole || part;
}

static struct error *ask_names(struct filtering *filtering)
{
	struct heap_question *question = filtering->question;
	size_t nr = filtering->filter.conditions.nr, end = 0;
	filtering->starts = calloc(nr + 1, sizeof(*filtering->starts));
	if (!filtering->starts)
		return error_no_memory();
	for (size_t c = 0; c < nr; c++) {
		const struct filter_condition *condition =
			&filtering->filter.conditions.items[c];
		filtering->starts[c] = end;
		if (!filter_condition_is_of_name(condition))
			continue;
		size_t more = nr_names(question, condition);
		if (!area_reserve(&filtering->answers, end + more + 1))
			return error_no_memory();
		for (size_t i = 0; i < more; i++) {
			char *name = name_of(question, condition, i);
			if (!name)
				return error_no_memory();
			((bool *)filtering->answers.memory)[end + i] =
				names(filtering, condition, i, name);
			free(name);
		}
		end += more;
	}
	return NULL;
}

/* --- roots of blocks ------------------------------------------------------------------ */

struct root_finder {
	struct dominator_visitor visitor; /* first */
	uint32_t nr_blocks, root;
	uint32_t *roots;
};

static void enter(struct dominator_visitor *visitor, uint32_t node)
{
	struct root_finder *finder = (struct root_finder *)visitor;
	if (node >= finder->nr_blocks)
		finder->root = node - finder->nr_blocks + 1;
	finder->roots[node] = finder->root;
}

static void leave(struct dominator_visitor *visitor, uint32_t node)
{
	struct root_finder *finder = (struct root_finder *)visitor;
	if (node >= finder->nr_blocks)
		finder->root = 0;
}

struct error *heap_find_roots(const struct heap_question *question, struct area *roots)
{
	const struct dominators *dominators = &question->dominators;
	struct dominator_tree tree;
	struct error *error = dominator_tree_make(dominators, &tree);
	if (error)
		return error;
	struct root_finder finder = {
		.visitor = { .enter = enter, .leave = leave },
		.nr_blocks = dominators->nr_blocks,
	};
	if (!area_reserve(roots, ((size_t)dominators->nr + 1) * sizeof(uint32_t)))
		error = error_no_memory();
	finder.roots = roots->memory;
	if (!error)
		error = dominator_tree_walk(&tree, &finder.visitor);
	dominator_tree_deinit(&tree);
	return error;
}

static bool asks_for(const struct block_filter *filter, enum filter_field field)
{
	for (size_t i = 0; i < filter->conditions.nr; i++)
		if (filter->conditions.items[i].field == field)
			return true;
	return false;
}

/* What nobody recorded is not known of any block. */
static struct error *check_recorded(const struct heap_question *question,
				    const struct block_filter *filter)
{
	static const struct {
		enum filter_field field;
		const char *word;
	} recorded[] = { { FILTER_SITE, "site" },
			 { FILTER_REQUESTED, "requested" },
			 { FILTER_AGE, "age" } };
	struct error *error = NULL;
	for (size_t i = 0; !error && i < ARRAY_SIZE(recorded); i++)
		if (asks_for(filter, recorded[i].field))
			error = heap_needs_sites(question, recorded[i].word);
	return error;
}

/* --- all blocks ----------------------------------------------------------------------- */

static bool holds(const struct filtering *filtering, size_t c, uint32_t rank,
		  const struct filter_subject *subject)
{
	const struct filter_condition *condition = &filtering->filter.conditions.items[c];
	const bool *answers =
		(const bool *)filtering->answers.memory + filtering->starts[c];
	if (condition->field == FILTER_TYPE)
		return answers[block_table_type(&filtering->question->table, rank)];
	if (condition->field == FILTER_ROOT)
		return answers[((const uint32_t *)filtering->roots.memory)[rank]];
	if (condition->field == FILTER_SITE)
		return answers[block_site(sites_of(filtering->question), rank)];
	return filter_condition_holds(condition, subject);
}

static void ask_block(void *context, uint32_t rank, uint64_t address, uint64_t size)
{
	struct filtering *filtering = context;
	const struct filter_condition_vec *conditions = &filtering->filter.conditions;
	const struct block_sites *sites = sites_of(filtering->question);
	const struct block_request *request = block_request(sites, rank);
	const uint32_t age_ms = block_age_ms(sites, rank);
	const struct filter_subject subject = {
		.has_request = request,
		.has_age = age_ms != BLOCK_AGE_UNKNOWN,
		.requested = request ? request->size : 0,
		.age_ms = age_ms,
		.address = address,
		.size = size,
		.retained = dominators_retained(&filtering->question->dominators, rank),
		.is_live = heap_is_live(filtering->question, rank),
	};
	bool good = false;
	for (size_t c = 0; c < conditions->nr && !good;) {
		unsigned alternative = conditions->items[c].alternative;
		good = true;
		for (; c < conditions->nr &&
		       conditions->items[c].alternative == alternative;
		     c++)
			good = good && holds(filtering, c, rank, &subject);
	}
	if (!good)
		bitmap_set(filtering->question->filtered.memory, rank);
}

struct error *heap_filter(struct heap_question *question)
{
	struct filtering filtering = { .question = question };
	if (!question->options->filter)
		return NULL;
	struct error *error =
		block_filter_parse(question->options->filter, &filtering.filter);
	if (error)
		return error;
	error = check_recorded(question, &filtering.filter);
	if (!error)
		error = ask_names(&filtering);
	if (!error && asks_for(&filtering.filter, FILTER_ROOT))
		error = heap_find_roots(question, &filtering.roots);
	if (!error && !area_reserve(&question->filtered,
				    bitmap_words(question->graph->nr_blocks + 1) * 8))
		error = error_no_memory();
	if (!error) {
		space_each(&question->graph->space, ask_block, &filtering);
		question->unwanted = question->filtered.memory;
	}
	block_filter_deinit(&filtering.filter);
	area_release(&filtering.answers);
	area_release(&filtering.roots);
	free(filtering.starts);
	return error;
}
