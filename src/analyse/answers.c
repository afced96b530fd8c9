/* answers: see answers.h. Cycles are looked for on a thread of their own, which only reads the graph. */
#include "analyse/answers.h"

#include <pthread.h>
#include <string.h>

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

struct cycle_search {
	const struct graph *graph;
	struct area *cyclic;
	struct error *error;
};

static void *search_cycles(void *context)
{
	struct cycle_search *search = context;
	search->error = components_cyclic(search->graph, search->cyclic);
	return NULL;
}

/* Both at once; without a second thread one after the other. */
static struct error *find_dominators_and_cycles(const struct graph *graph,
						const struct entries *entries,
						struct answers *answers)
{
	struct cycle_search search = { graph, &answers->cyclic, NULL };
	pthread_t thread;
	bool is_beside = !pthread_create(&thread, NULL, search_cycles, &search);
	struct error *error = dominators_find(graph, entries, &answers->dominators);
	if (is_beside)
		pthread_join(thread, NULL);
	else
		search_cycles(&search);
	if (!error)
		return search.error;
	error_destroy(search.error);
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
		error = find_dominators_and_cycles(&look->graph, &entries, answers);
	entries_deinit(&entries);
	root_groups_deinit(&groups);
	lost_deinit(&lost);
	return error;
}

/* What a group holds nobody else keeps alone. */
static bool roots_are_below(const struct dominators *found,
			    const struct root_groups *groups)
{
	const uint32_t *numbers = root_groups_numbers(groups);
	for (size_t i = 0; i < groups->roots->nr; i++) {
		uint32_t parent =
			dominators_parent(found, edge_rank(groups->roots->items[i].edge));
		if (numbers[i] != RANK_NONE && parent != RANK_NONE &&
		    parent != found->nr_blocks + numbers[i])
			return false;
	}
	return true;
}

bool answers_take_dominators(struct answers *answers, const struct root_groups *groups,
			     struct dominators *dominators)
{
	const struct dominators *found = &answers->dominators;
	uint64_t nr = groups->roots->nr;
	if (!found->parents.memory || answers->nr_roots != nr ||
	    found->nr - found->nr_blocks != groups->groups.nr ||
	    memcmp(answers->groups.memory, root_groups_numbers(groups),
		   nr * sizeof(uint32_t)) != 0 ||
	    !roots_are_below(found, groups))
		return false;
	*dominators = *found;
	answers->dominators = (struct dominators){ 0 };
	return true;
}
