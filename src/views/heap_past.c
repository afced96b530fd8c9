/* heap_past: see heap_past.h. */
#include "views/heap_past.h"

#include <stdlib.h>
#include <string.h>

#include "analyse/leaks.h"
#include "analyse/snapshot_load.h"
#include "base/hash.h"

/* A block of an earlier look. */
struct past_block {
	uint64_t address, size;
	uint32_t hash;    /* 0: its contents are not known */
	uint32_t row;     /* UINT32_MAX: the filter leaves it out */
	uint32_t request; /* hash of what allocated it, and how much; 0: not known */
};

/* The same in another look at the process. */
static uint32_t hash_request(const struct block_sites *sites, uint32_t rank)
{
	const struct block_request *request = block_request(sites, rank);
	if (!request || !request->site)
		return 0;
	const struct block_site *site = &sites->sites.items[request->site];
	return (uint32_t)hash_mix(site->hash ^ request->size) | 1;
}

/* --- rows ----------------------------------------------------------------------------- */

/* The row of that name, one more if it is new; takes the name over. */
static struct error *row_named(struct heap_past *past, char *name, uint32_t *row)
{
	uint64_t *known = NULL;
	if (name)
		known = map_at(&past->rows, hash_bytes(HASH_SEED, name, strlen(name)));
	if (known && *known)
		free(name);
	else if (known && past_name_vec_push(&past->names, name))
		*known = past->names.nr;
	else
		known = (free(name), NULL);
	*row = known ? (uint32_t)*known - 1 : 0;
	return known ? NULL : error_no_memory();
}

static bool is_used(const struct heap_by *by, uint32_t number)
{
	return !by->table->labels || by->table->labels[number];
}

/* Rows are numbers of the table at hand: a name that two have is told once, by its first one. */
static struct error *name_rows(struct heap_past *past)
{
	struct error *error = NULL;
	for (uint32_t i = 0; !error && i < past->now.table->rows.nr; i++) {
		char *name = NULL;
		if (is_used(&past->now, i) &&
		    !(name = block_table_name(past->now.table, i)))
			return error_no_memory();
		if (!past_name_vec_push(&past->names, name)) {
			free(name);
			return error_no_memory();
		}
		uint64_t *row = name ? map_at(&past->rows,
					      hash_bytes(HASH_SEED, name, strlen(name)))
				     : NULL;
		if (name && !row)
			return error_no_memory();
		if (row && !*row)
			*row = (uint64_t)i + 1;
	}
	return error;
}

/* Rows by number of an earlier look's table. */
static struct error *match_rows(struct heap_past *past, const struct heap_by *by,
				struct area *rows)
{
	struct error *error = NULL;
	if (!area_reserve(rows, (by->table->rows.nr + 1) * sizeof(uint32_t)))
		return error_no_memory();
	for (uint32_t i = 0; !error && i < by->table->rows.nr; i++)
		if (is_used(by, i))
			error = row_named(past, block_table_name(by->table, i),
					  (uint32_t *)rows->memory + i);
	return error;
}

/* --- one look ------------------------------------------------------------------------- */

struct reading {
	const struct heap_question *earlier;
	const struct block_sites *sites;
	const struct block_table *table;
	const uint32_t *rows;
	struct past_block *blocks;
};

static void read_block(void *context, uint32_t rank, uint64_t address, uint64_t size)
{
	struct reading *reading = context;
	const uint32_t *hashes = reading->earlier->inspection.look.hashes.memory;
	const bool is_wanted = heap_is_wanted(reading->earlier, rank);
	const uint32_t number = block_table_type(reading->table, rank);
	reading->blocks[rank] = (struct past_block){
		.address = address,
		.size = size,
		.hash = hashes ? hashes[rank] : 0,
		.row = is_wanted ? reading->rows[number] : UINT32_MAX,
		.request = hash_request(reading->sites, rank),
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

/* What takes more than blocks and their types to tell is asked of it as of the heap at hand. */
static struct error *open_look(const struct heap_past *past, struct past_look *look,
			       struct places **places, struct heap_question *earlier)
{
	const char *filter = past->question->options->filter;
	if (heap_by_needs_tree(past->by) || filter)
		return heap_question_look(earlier);
	struct error *error = places_listed(places);
	if (!error)
		error = snapshot_load(look->file, LOOK_HASH, &earlier->inspection.look,
				      *places);
	earlier->graph = &earlier->inspection.look.graph;
	return error ? error
		     : block_table_make(&earlier->inspection.look, GROUP_BY_TYPE,
					&earlier->table);
}

static struct error *read_blocks(struct heap_past *past, struct heap_question *earlier,
				 struct past_look *look)
{
	struct heap_by by;
	struct area rows = { 0 };
	struct error *error = heap_by_make(earlier, past->by, &by);
	if (!error)
		error = match_rows(past, &by, &rows);
	look->created_ns = earlier->inspection.look.created_ns;
	look->nr_blocks = earlier->graph->nr_blocks;
	if (!error && !area_reserve(&look->blocks,
				    (look->nr_blocks + 1) * sizeof(struct past_block)))
		error = error_no_memory();
	if (!error) {
		struct reading reading = {
			.earlier = earlier,
			.sites = &earlier->inspection.look.sites,
			.table = by.table,
			.rows = rows.memory,
			.blocks = look->blocks.memory,
		};
		space_each(&earlier->graph->space, read_block, &reading);
	}
	area_release(&rows);
	heap_by_deinit(&by);
	return error;
}

/* Who allocated names blocks of no other type: of looks that do not both know it names differ. */
static struct error *check_types(const struct heap_past *past,
				 const struct heap_question *earlier)
{
	const struct look *now = &past->question->inspection.look;
	const struct look *then = &earlier->inspection.look;
	const bool knows = block_sites_are_known(&now->sites);
	if (past->by != HEAP_BY_TYPE || knows == block_sites_are_known(&then->sites))
		return NULL;
	return error_remedy(
		error_create(ERROR_REFUSED,
			     "%s was taken %s a recording, what it is to be "
			     "compared with was not so: their types have other "
			     "names",
			     earlier->options->source.file, knows ? "without" : "with"),
		"give --recording to all of them or to none, or diff --by size");
}

static struct error *read_look(struct heap_past *past, struct past_look *look)
{
	const struct analyse_heap_options *asked = past->question->options;
	const struct analyse_heap_options options = {
		.source = { .file = look->file, .asker = asked->source.asker },
		.view = asked->view,
		.filter = asked->filter,
	};
	struct heap_question earlier = { .options = &options,
					 .view = past->question->view };
	struct places *places = NULL;
	if (!snapshot_is_file(look->file))
		return error_remedy(error_create(ERROR_REFUSED, "%s is no snapshot",
						 look->file),
				    "take one with: seep snapshot -o FILE TARGET");
	struct error *error = open_look(past, look, &places, &earlier);
	if (!error)
		error = check_look(past->question, &earlier.inspection.look, look->file);
	if (!error)
		error = check_types(past, &earlier);
	if (!error)
		error = read_blocks(past, &earlier, look);
	heap_question_deinit(&earlier);
	places_destroy(places);
	return error;
}

static int by_age(const void *a, const void *b)
{
	const struct past_look *left = a, *right = b;
	return left->created_ns < right->created_ns   ? -1
	       : left->created_ns > right->created_ns ? 1
						      : 0;
}

static struct error *read_looks(struct heap_past *past)
{
	const char *const *file = past->question->options->others;
	struct error *error = NULL;
	for (; !error && file && *file; file++) {
		struct past_look look = { .file = *file };
		if (past->looks.nr == PAST_LOOKS_MAX)
			error = error_create(ERROR_USAGE, "more than %u snapshots",
					     PAST_LOOKS_MAX);
		if (!error && !past_look_vec_push(&past->looks, look))
			error = error_no_memory();
		if (!error)
			error = read_look(past, &past->looks.items[past->looks.nr - 1]);
	}
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
	const struct block_sites *sites;
};

/* Whether the block that was there is the one that is there now, as far as is known. */
static bool is_same_block(const struct matching *matching,
			  const struct past_block *before, uint32_t rank,
			  uint64_t address, uint64_t size)
{
	uint32_t request = hash_request(matching->sites, rank);
	return before->address == address && before->size == size &&
	       (!request || !before->request || request == before->request);
}

static void leave_block(struct matching *matching, const struct past_block *block,
			bool is_gone)
{
	if (block->row == UINT32_MAX)
		return;
	struct past_amount *amount =
		(struct past_amount *)matching->look->amounts.memory + block->row;
	amount->blocks++;
	amount->bytes += block->size;
	amount->gone_blocks += is_gone;
	amount->gone_bytes += is_gone ? block->size : 0;
}

static void match_block(void *context, uint32_t rank, uint64_t address, uint64_t size)
{
	struct matching *matching = context;
	const struct past_block *blocks = matching->look->blocks.memory;
	while (matching->next < matching->look->nr_blocks &&
	       blocks[matching->next].address < address)
		leave_block(matching, &blocks[matching->next++], true);
	bool is_there =
		matching->next < matching->look->nr_blocks &&
		is_same_block(matching, &blocks[matching->next], rank, address, size);
	if (!is_there)
		return;
	const struct past_block *block = &blocks[matching->next++];
	leave_block(matching, block, false);
	/* Without a gap, and without a change. */
	if (matching->born[rank] != matching->number + 1)
		return;
	bool is_same = matching->untouched[rank] == matching->number + 1 && block->hash &&
		       matching->hashes && block->hash == matching->hashes[rank];
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
		.sites = &now->sites,
	};
	if (!area_reserve(&look->amounts,
			  (past->names.nr + 1) * sizeof(struct past_amount)))
		return error_no_memory();
	space_each(&now->graph.space, match_block, &matching);
	const struct past_block *blocks = look->blocks.memory;
	while (matching.next < look->nr_blocks)
		leave_block(&matching, &blocks[matching.next++], true);
	return NULL;
}

struct error *heap_past_load(struct heap_question *question, enum analyse_heap_by by,
			     struct heap_past *past)
{
	*past = (struct heap_past){ .question = question, .by = by };
	struct error *error = heap_by_make(question, by, &past->now);
	if (!error)
		error = name_rows(past);
	if (!error)
		error = read_looks(past);
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
	for (size_t i = 0; i < past->names.nr; i++)
		free(past->names.items[i]);
	past_name_vec_deinit(&past->names);
	map_deinit(&past->rows);
	heap_by_deinit(&past->now);
	area_release(&past->born);
	area_release(&past->untouched);
}
