/* heap_parts: see heap_parts.h. */
#include "views/heap_parts.h"

#include <stdlib.h>

#include "views/heap_asked.h"

static bool name_types(const struct block_table *table, struct heap_parts *parts)
{
	parts->nr_types = table->rows.nr;
	parts->type_names = calloc(parts->nr_types + 1, sizeof(char *));
	bool good = parts->type_names;
	for (size_t i = 0; good && i < parts->nr_types; i++) {
		parts->type_names[i] = block_table_name(table, (uint32_t)i);
		good = parts->type_names[i];
	}
	return good;
}

static bool name_groups(const struct root_groups *groups, struct heap_parts *parts)
{
	size_t nr = groups->groups.nr;
	parts->group_names = calloc(nr + 1, sizeof(char *));
	bool good = parts->group_names;
	for (size_t i = 0; good && i < nr; i++) {
		parts->group_names[i] = root_groups_name(groups, (uint32_t)i);
		good = parts->group_names[i];
	}
	return good;
}

static void free_names(char **names, size_t nr)
{
	for (size_t i = 0; names && i < nr; i++)
		free(names[i]);
	free(names);
}

static struct error *find_asked(struct heap_question *question, struct heap_parts *parts)
{
	struct heap_asked asked = { 0 };
	if (!question->options->asked)
		return NULL;
	struct error *error =
		heap_asked_block(question, question->options->asked, &asked);
	parts->rank = asked.rank;
	heap_asked_deinit(&asked);
	return error;
}

static struct error *lend(struct heap_question *question, heap_parts_fn *use,
			  void *context)
{
	const struct look *look = &question->inspection.look;
	struct heap_parts parts = {
		.target = look->subject.name,
		.graph = question->graph,
		.entries = &question->entries,
		.live = question->entries.live,
		.dominators = &question->dominators,
		.types = question->table.numbers.memory,
		.natures = look->natures,
		.fields = &look->fields,
	};
	struct error *error = find_asked(question, &parts);
	if (!error && (!name_types(&question->table, &parts) ||
		       !name_groups(&question->groups, &parts)))
		error = error_no_memory();
	if (!error)
		error = use(context, &parts);
	free_names(parts.type_names, parts.nr_types);
	free_names(parts.group_names, question->groups.groups.nr);
	return error;
}

struct error *analyse_heap_parts(const struct analyse_heap_options *options,
				 heap_parts_fn *use, void *context)
{
	static const struct heap_view none = { .needs_edge_places = true };
	struct heap_question question = { .options = options, .view = &none };
	struct error *error = heap_question_look(&question);
	if (!error)
		error = lend(&question, use, context);
	heap_question_deinit(&question);
	return error;
}
