/* heap_asked: see heap_asked.h. */
#include "views/heap_asked.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/bitmap.h"
#include "base/wildcard.h"

bool heap_asked_address(const char *word, uint64_t *address)
{
	char *end = NULL;
	errno = 0;
	if (strncmp(word, "0x", 2) != 0 || !word[2])
		return false;
	*address = strtoull(word + 2, &end, 16);
	return !*end && !errno;
}

static struct error *reserve_blocks(const struct heap_question *question,
				    struct heap_asked *asked)
{
	return area_reserve(&asked->blocks,
			    bitmap_words(question->graph->nr_blocks + 1) * 8)
		       ? NULL
		       : error_no_memory();
}

static void add_block(const struct heap_question *question, struct heap_asked *asked,
		      uint32_t rank)
{
	uint64_t address = 0, size = 0;
	if (!bitmap_claim(asked->blocks.memory, rank))
		return;
	space_block(&question->graph->space, rank, &address, &size);
	asked->nr_blocks++;
	asked->bytes += size;
}

/* --- an address ---------------------------------------------------------------------- */

static struct error *find_block(struct heap_question *question, const char *word,
				uint64_t address, struct heap_asked *asked)
{
	const struct space *space = &question->graph->space;
	uint64_t offset = space_offset(space, address);
	struct space_hit hit = { .rank = RANK_NONE };
	if (offset != SPACE_NONE)
		hit = space_find(space, offset);
	if (hit.rank == RANK_NONE)
		return error_create(ERROR_REFUSED, "there is no block at %s", word);
	struct error *error = reserve_blocks(question, asked);
	if (error)
		return error;
	asked->kind = ASKED_BLOCK;
	asked->rank = hit.rank;
	asked->distance = hit.distance;
	add_block(question, asked, hit.rank);
	asked->name = heap_block_name(question, hit.rank);
	return asked->name ? NULL : error_no_memory();
}

/* --- types --------------------------------------------------------------------------- */

/* "class Node" is called "Node" too. */
static bool is_called(const char *name, const char *word)
{
	return wildcard_matches(word, name) ||
	       wildcard_matches(word, heap_short_name(name));
}

/* *types is a bitmap of those that are called so. */
static struct error *match_types(const struct block_table *table, const char *word,
				 struct area *types, uint64_t *nr)
{
	if (!area_reserve(types, bitmap_words(table->rows.nr + 1) * 8))
		return error_no_memory();
	for (uint32_t i = 0; i < table->rows.nr; i++) {
		char *name = block_table_name(table, i);
		if (!name)
			return error_no_memory();
		bool is_one = is_called(name, word);
		free(name);
		*nr += is_one;
		if (is_one)
			bitmap_set(types->memory, i);
	}
	return NULL;
}

static struct error *find_types(struct heap_question *question, const char *word,
				struct heap_asked *asked)
{
	struct area types = { 0 };
	uint64_t nr = 0;
	struct error *error = match_types(&question->table, word, &types, &nr);
	if (!error && nr)
		error = reserve_blocks(question, asked);
	asked->kind = ASKED_TYPE;
	for (uint32_t rank = 0; !error && nr && rank < question->graph->nr_blocks; rank++)
		if (bitmap_test(types.memory, block_table_type(&question->table, rank)))
			add_block(question, asked, rank);
	area_release(&types);
	return error;
}

/* --- roots --------------------------------------------------------------------------- */

/* "app:cache" is called "cache" too. */
static struct error *is_root_called(const struct root_groups *groups, uint32_t group,
				    const char *word, bool *result)
{
	struct symbol_name variable = root_groups_variable(groups, group);
	char *name = root_groups_name(groups, group);
	if (!name)
		return error_no_memory();
	*result = wildcard_matches(word, name) ||
		  (variable.function && wildcard_matches(word, variable.function));
	free(name);
	return NULL;
}

/* An entry is left if any root that holds it is of a group that is. */
static struct error *leave_entries(struct heap_question *question,
				   const uint64_t *groups_gone, struct heap_asked *asked)
{
	const struct entries *entries = &question->entries;
	struct area held = { 0 };
	struct error *error = reserve_blocks(question, asked);
	if (!error &&
	    (!area_reserve(&held, bitmap_words(question->graph->nr_blocks + 1) * 8) ||
	     !area_reserve(&asked->entries, bitmap_words(entries->nr + 1u) * 8)))
		error = error_no_memory();
	for (uint32_t group = 0; !error && group < entries->nr_groups; group++) {
		struct edge_run run = entries_of_group(entries, group);
		bool is_gone = bitmap_test(groups_gone, group);
		for (uint64_t i = 0; i < run.nr; i++) {
			if (is_gone)
				add_block(question, asked, edge_rank(run.edges[i]));
			else
				bitmap_set(held.memory, edge_rank(run.edges[i]));
		}
	}
	for (uint32_t i = 0; !error && i < entries->nr; i++) {
		bool is_left = !bitmap_test(entries->is_grouped.memory, i) ||
			       bitmap_test(held.memory, entries_ranks(entries)[i]);
		if (is_left)
			bitmap_set(asked->entries.memory, i);
	}
	area_release(&held);
	return error;
}

static struct error *find_roots(struct heap_question *question, const char *word,
				struct heap_asked *asked, bool *found)
{
	uint32_t nr = (uint32_t)question->groups.groups.nr;
	struct area gone = { 0 };
	struct error *error = NULL;
	if (!area_reserve(&gone, bitmap_words(nr + 1u) * 8))
		return error_no_memory();
	for (uint32_t group = 0; !error && group < nr; group++) {
		bool is_one = false;
		error = is_root_called(&question->groups, group, word, &is_one);
		if (is_one)
			bitmap_set(gone.memory, group);
		*found |= is_one;
	}
	asked->kind = ASKED_ROOT;
	if (!error && *found)
		error = leave_entries(question, gone.memory, asked);
	area_release(&gone);
	return error;
}

/* --- all ----------------------------------------------------------------------------- */

struct error *heap_asked_find(struct heap_question *question, const char *word,
			      struct heap_asked *asked)
{
	uint64_t address = 0;
	bool found = false;
	*asked = (struct heap_asked){ 0 };
	if (heap_asked_address(word, &address))
		return find_block(question, word, address, asked);
	struct error *error = find_types(question, word, asked);
	if (!error && !asked->nr_blocks)
		error = find_roots(question, word, asked, &found);
	if (error)
		return error;
	if (!asked->nr_blocks && !found)
		return error_remedy(
			error_create(ERROR_REFUSED,
				     "no type of block and no variable that holds one is "
				     "called \"%s\"",
				     word),
			"a name from the views histogram and roots, with * for any "
			"letters; an address begins with 0x");
	asked->name = strdup(word);
	return asked->name ? NULL : error_no_memory();
}

struct error *heap_asked_block(struct heap_question *question, const char *word,
			       struct heap_asked *asked)
{
	uint64_t address = 0;
	*asked = (struct heap_asked){ 0 };
	if (heap_asked_address(word, &address))
		return find_block(question, word, address, asked);
	return error_remedy(error_create(ERROR_USAGE, "\"%s\" is no address", word),
			    "give one of a block in hexadecimal: 0x55d0c0a82b0");
}

void heap_asked_deinit(struct heap_asked *asked)
{
	area_release(&asked->blocks);
	area_release(&asked->entries);
	free(asked->name);
	*asked = (struct heap_asked){ 0 };
}
