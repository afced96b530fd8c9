/* heap_past: see heap_past.h. */
#include "analyse/heap_past.h"

#include <stdlib.h>
#include <string.h>

#include "analyse/block_types.h"
#include "analyse/snapshot_load.h"

/* A block of an earlier look. */
struct past_block {
	uint64_t address, size;
	uint32_t hash; /* 0: its contents are not known */
	uint32_t
		type; /* of the table at hand; UINT32_MAX: there is none of it any more */
};

/* --- one look ------------------------------------------------------------------------- */

struct reading {
	const struct look *look;
	struct past_look *past;
	struct map *types; /* of the table at hand: number + 1 by hash */
};

static void read_block(void *context, uint32_t rank, uint64_t address, uint64_t size)
{
	struct reading *reading = context;
	const uint32_t *hashes = reading->look->hashes.memory;
	uint16_t code = natures_get(reading->look->natures, rank);
	const uint64_t *type = map_find(
		reading->types, block_type_hash(reading->look->natures, code, size));
	((struct past_block *)reading->past->blocks.memory)[rank] = (struct past_block){
		.address = address,
		.size = size,
		.hash = hashes ? hashes[rank] : 0,
		.type = type ? (uint32_t)*type - 1 : UINT32_MAX,
	};
}

static bool is_same_process(const struct subject *left, const struct subject *right)
{
	return left->pid == right->pid &&
	       target_identity_equal(&left->identity, &right->identity);
}

static struct error *check_look(const struct heap_question *question,
				const struct look *look, const char *file)
{
	const struct look *now = &question->inspection.look;
	if (!is_same_process(&look->subject, &now->subject))
		return error_remedy(
			error_create(ERROR_REFUSED,
				     "%s is of %s, another process than %s: their "
				     "blocks are not the same",
				     file, look->subject.name, now->subject.name),
			"compare what they lost with: seep leaks --diff-from");
	if (now->created_ns && look->created_ns >= now->created_ns)
		return error_remedy(error_create(ERROR_REFUSED,
						 "%s is not older than what it is to be "
						 "compared with",
						 file),
				    "give the newest one first, before diff");
	return NULL;
}

static struct error *read_look(struct heap_question *question, struct map *types,
			       struct past_look *past)
{
	struct look look = { 0 };
	struct places *places = NULL;
	if (!snapshot_is_file(past->file))
		return error_remedy(error_create(ERROR_REFUSED, "%s is no snapshot",
						 past->file),
				    "take one with: seep snapshot -o FILE TARGET");
	struct error *error = places_listed(&places);
	if (!error)
		error = snapshot_load(past->file, LOOK_HASH, &look, places);
	if (!error)
		error = check_look(question, &look, past->file);
	if (!error && !area_reserve(&past->blocks, (look.graph.nr_blocks + 1) *
							   sizeof(struct past_block)))
		error = error_no_memory();
	if (!error) {
		struct reading reading = { &look, past, types };
		past->created_ns = look.created_ns;
		past->nr_blocks = look.graph.nr_blocks;
		space_each(&look.graph.space, read_block, &reading);
	}
	look_deinit(&look);
	places_destroy(places);
	return error;
}

static struct error *number_types(const struct heap_question *question, struct map *types)
{
	const struct block_table *table = &question->table;
	for (uint32_t i = 0; i < table->rows.nr; i++) {
		const struct block_row *row = &table->rows.items[i];
		uint64_t *type = map_at(types, block_type_hash(table->natures, row->code,
							       row->size));
		if (!type)
			return error_no_memory();
		*type = (uint64_t)i + 1;
	}
	return NULL;
}

static int by_age(const void *a, const void *b)
{
	const struct past_look *left = a, *right = b;
	return left->created_ns < right->created_ns   ? -1
	       : left->created_ns > right->created_ns ? 1
						      : 0;
}

static struct error *read_looks(struct heap_question *question, struct heap_past *past)
{
	const char *const *file = question->options->others;
	struct map types = { 0 };
	struct error *error = number_types(question, &types);
	for (; !error && file && *file; file++) {
		struct past_look look = { .file = *file };
		if (past->looks.nr == PAST_LOOKS_MAX)
			error = error_create(ERROR_USAGE, "more than %u snapshots",
					     PAST_LOOKS_MAX);
		if (!error && !past_look_vec_push(&past->looks, look))
			error = error_no_memory();
		if (!error)
			error = read_look(question, &types,
					  &past->looks.items[past->looks.nr - 1]);
	}
	map_deinit(&types);
	if (!error && past->looks.nr)
		qsort(past->looks.items, past->looks.nr, sizeof(past->looks.items[0]),
		      by_age);
	return error;
}

/* --- matching ------------------------------------------------------------------------- */

struct matching {
	struct heap_past *past;
	struct past_look *look;
	unsigned number; /* of the look */
	uint64_t next;   /* of its blocks */
	uint8_t *born, *untouched;
	const uint32_t *hashes;
};

enum leaving { STAYED, CHANGED, GONE };

static void leave_block(struct matching *matching, const struct past_block *block,
			enum leaving how)
{
	if (block->type == UINT32_MAX)
		return;
	struct past_amount *amount =
		(struct past_amount *)matching->look->amounts.memory + block->type;
	amount->blocks++;
	amount->bytes += block->size;
	amount->gone_blocks += how == GONE;
	amount->gone_bytes += how == GONE ? block->size : 0;
	amount->changed_blocks += how == CHANGED;
}

static void match_block(void *context, uint32_t rank, uint64_t address, uint64_t size)
{
	struct matching *matching = context;
	const struct past_block *blocks = matching->look->blocks.memory;
	while (matching->next < matching->look->nr_blocks &&
	       blocks[matching->next].address < address)
		leave_block(matching, &blocks[matching->next++], GONE);
	bool is_there = matching->next < matching->look->nr_blocks &&
			blocks[matching->next].address == address &&
			blocks[matching->next].size == size;
	if (!is_there)
		return;
	const struct past_block *block = &blocks[matching->next++];
	bool is_as_it_was = block->hash && matching->hashes &&
			    block->hash == matching->hashes[rank];
	leave_block(matching, block, is_as_it_was ? STAYED : CHANGED);
	/* Without a gap, and without a change. */
	if (matching->born[rank] != matching->number + 1)
		return;
	bool is_same = matching->untouched[rank] == matching->number + 1 && is_as_it_was;
	matching->born[rank] = (uint8_t)matching->number;
	if (is_same)
		matching->untouched[rank] = (uint8_t)matching->number;
}

static struct error *match_look(struct heap_past *past, unsigned number)
{
	const struct look *now = &past->question->inspection.look;
	struct past_look *look = &past->looks.items[number];
	struct matching matching = {
		.past = past,
		.look = look,
		.number = number,
		.born = past->born.memory,
		.untouched = past->untouched.memory,
		.hashes = now->hashes.memory,
	};
	if (!area_reserve(&look->amounts, (past->question->table.rows.nr + 1) *
						  sizeof(struct past_amount)))
		return error_no_memory();
	space_each(&now->graph.space, match_block, &matching);
	const struct past_block *blocks = look->blocks.memory;
	while (matching.next < look->nr_blocks)
		leave_block(&matching, &blocks[matching.next++], GONE);
	return NULL;
}

struct error *heap_past_load(struct heap_question *question, struct heap_past *past)
{
	*past = (struct heap_past){ .question = question };
	struct error *error = read_looks(question, past);
	size_t nr = question->graph->nr_blocks;
	if (!error && (!area_reserve(&past->born, nr + 1) ||
		       !area_reserve(&past->untouched, nr + 1)))
		error = error_no_memory();
	if (error)
		return error;
	memset(past->born.memory, (int)past->looks.nr, nr);
	memset(past->untouched.memory, (int)past->looks.nr, nr);
	for (size_t i = past->looks.nr; !error && i-- > 0;)
		error = match_look(past, (unsigned)i);
	return error;
}

void heap_past_deinit(struct heap_past *past)
{
	for (size_t i = 0; i < past->looks.nr; i++) {
		area_release(&past->looks.items[i].blocks);
		area_release(&past->looks.items[i].amounts);
	}
	past_look_vec_deinit(&past->looks);
	area_release(&past->born);
	area_release(&past->untouched);
}
