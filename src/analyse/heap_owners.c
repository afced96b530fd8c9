/*
 * heap_owners: a variable that holds what several hold. A pointer that was left on a stack is enough
 * for a block to have no single keeper; the variable is what whoever asks can do something about.
 */
#include <string.h>

#include "analyse/heap_past.h"

/*
 * Blocks in the order in which they are met, breadth first: a variable is likelier to be meant the
 * fewer pointers lie between. Steps from a block to another of its type count for nothing, nor do those
 * to what several hold: one end of a list is near to its variable, and a stray pointer to the other.
 */
struct owning {
	const struct graph *graph;
	const struct block_table *table;
	const uint32_t *alone; /* 0: several hold it */
	uint32_t *owners;      /* of the group that it was met from, + 1 */
	uint32_t *queue, *stack;
	uint32_t nr, depth;
};

static void meet(struct owning *owning, uint32_t rank, uint32_t owner, bool is_step)
{
	if (owning->owners[rank])
		return;
	owning->owners[rank] = owner;
	if (is_step && owning->alone[rank])
		owning->queue[owning->nr++] = rank;
	else
		owning->stack[owning->depth++] = rank;
}

static void meet_targets(struct owning *owning, uint32_t rank)
{
	struct edge_run run =
		graph_run(owning->graph, graph_row(owning->graph, rank), rank);
	uint32_t type = block_table_type(owning->table, rank);
	for (uint64_t i = 0; i < run.nr; i++) {
		uint32_t to = edge_rank(run.edges[i]);
		if (run.edges[i] != EDGE_NONE && !owning->owners[to])
			meet(owning, to, owning->owners[rank],
			     block_table_type(owning->table, to) != type);
	}
}

/* What takes no step from what was just met. */
static void flood(struct owning *owning)
{
	while (owning->depth)
		meet_targets(owning, owning->stack[--owning->depth]);
}

/* What functions left behind comes after variables that are as near. */
static bool is_fleeting(const struct root_groups *groups, uint32_t group)
{
	const char *kind = root_groups_kind(groups, group);
	return !strcmp(kind, "stack") || !strcmp(kind, "register");
}

static void meet_roots(struct owning *owning, const struct root_groups *groups,
		       const bool *fleeting, bool which)
{
	const uint32_t *numbers = root_groups_numbers(groups);
	for (size_t i = 0; i < groups->roots->nr; i++)
		if (numbers[i] != RANK_NONE && fleeting[numbers[i]] == which) {
			meet(owning, edge_rank(groups->roots->items[i].edge),
			     numbers[i] + 1, false);
			flood(owning);
		}
}

static void meet_all(struct owning *owning)
{
	for (uint32_t at = 0; at < owning->nr; at++) {
		meet_targets(owning, owning->queue[at]);
		flood(owning);
	}
}

struct error *heap_find_owners(const struct heap_question *question, struct area *roots)
{
	struct area owners = { 0 }, queue = { 0 }, stack = { 0 }, fleeting = { 0 };
	uint64_t nr = question->graph->nr_blocks;
	struct error *error = NULL;
	if (!area_reserve(&owners, (nr + 1) * sizeof(uint32_t)) ||
	    !area_reserve(&queue, (nr + 1) * sizeof(uint32_t)) ||
	    !area_reserve(&stack, (nr + 1) * sizeof(uint32_t)) ||
	    !area_reserve(&fleeting, question->groups.groups.nr + 1))
		error = error_no_memory();
	if (!error) {
		struct owning owning = {
			.graph = question->graph,
			.table = &question->table,
			.alone = roots->memory,
			.owners = owners.memory,
			.queue = queue.memory,
			.stack = stack.memory,
		};
		uint32_t *alone = roots->memory;
		const struct root_groups *groups = &question->groups;
		bool *is = fleeting.memory;
		for (uint32_t group = 0; group < groups->groups.nr; group++)
			is[group] = is_fleeting(groups, group);
		meet_roots(&owning, groups, is, false);
		meet_roots(&owning, groups, is, true);
		meet_all(&owning);
		for (uint64_t rank = 0; rank < nr; rank++)
			if (!alone[rank] && owning.owners[rank])
				alone[rank] = owning.owners[rank] | HEAP_OWNER_SHARED;
	}
	area_release(&owners);
	area_release(&queue);
	area_release(&stack);
	area_release(&fleeting);
	return error;
}
