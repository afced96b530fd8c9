/* answers: see answers.h. Cycles and types are found on a thread of their own, which only reads the graph. */
#include "analyse/answers.h"

#include "analyse/leaks.h"
#include "analyse/topmost.h"

#include <string.h>

#include "base/beside.h"
#include "base/bitmap.h"
#include "graph/components.h"

struct error *answers_begin(const struct look *look, const uint64_t *live,
			    struct places *places, struct lost *lost,
			    struct root_groups *groups, struct entries *entries)
{
	struct error *error = lost_find(&look->graph, live, lost);
	if (!error)
		error = entries_find(&look->graph, live, look->doubted.items,
				     (uint32_t)look->doubted.nr, lost, entries);
	if (!error)
		error = root_groups_make(look, places, groups);
	return error ? error
		     : entries_group(groups->roots, root_groups_numbers(groups),
				     (uint32_t)groups->groups.nr, entries);
}

/* What is found beside dominators. */
struct search {
	const struct look *look;
	struct answers *answers;
	struct block_table types;
	struct error *error;
};

static void search_cycles_and_types(void *context)
{
	struct search *search = context;
	struct answers *answers = search->answers;
	search->error = components_cyclic(&search->look->graph, &answers->cyclic,
					  &answers->parts, &answers->nr_cyclic);
	if (!search->error)
		search->error =
			block_table_make(search->look, GROUP_BY_TYPE, &search->types);
}

static struct error *find_all(const struct look *look, const struct entries *entries,
			      struct answers *answers)
{
	struct search search = { .look = look, .answers = answers };
	struct beside beside;
	beside_start(&beside, search_cycles_and_types, &search);
	struct error *error =
		dominators_find(&look->graph, entries, &answers->dominators);
	beside_finish(&beside);
	if (error)
		error_destroy(search.error);
	else
		error = search.error;
	if (!error)
		error = topmost_find(&answers->dominators, &search.types,
				     &answers->topmost);
	block_table_deinit(&search.types);
	return error;
}

static struct error *keep(const struct graph *graph, const uint64_t *live,
			  const struct root_groups *groups, struct answers *answers)
{
	size_t live_bytes = bitmap_words(graph->nr_blocks) * 8;
	size_t groups_bytes = groups->roots->nr * sizeof(uint32_t);
	if (!area_reserve(&answers->live, live_bytes + 8) ||
	    !area_reserve(&answers->groups, groups_bytes + 8))
		return error_no_memory();
	memcpy(answers->live.memory, live, live_bytes);
	memcpy(answers->groups.memory, root_groups_numbers(groups), groups_bytes);
	answers->nr_roots = groups->roots->nr;
	return NULL;
}

struct error *answers_find(const struct inspection *inspection, struct places *places,
			   struct answers *answers)
{
	const struct look *look = &inspection->look;
	const uint64_t *live = reach_sure(&inspection->reach);
	struct lost lost = { 0 };
	struct root_groups groups = { 0 };
	struct entries entries = { 0 };
	struct error *error = answers_begin(look, live, places, &lost, &groups, &entries);
	if (!error)
		error = keep(&look->graph, live, &groups, answers);
	if (!error)
		error = find_all(look, &entries, answers);
	entries_deinit(&entries);
	root_groups_deinit(&groups);
	lost_deinit(&lost);
	return error;
}

bool answers_take_dominators(struct answers *answers, const struct root_groups *groups,
			     struct dominators *dominators)
{
	const struct dominators *found = &answers->dominators;
	uint64_t nr = groups->roots->nr;
	if (!found->parents.memory || answers->nr_roots != nr ||
	    found->nr - found->nr_blocks != groups->groups.nr ||
	    memcmp(answers->groups.memory, root_groups_numbers(groups),
		   nr * sizeof(uint32_t)) != 0)
		return false;
	*dominators = *found;
	answers->dominators = (struct dominators){ 0 };
	return true;
}
