/* heap_by: see heap_by.h. To add one: its function, and a row in `kinds`. */
#include "views/heap_by.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "analyse/leaks.h"

/* So many dominators have a row of their own; the others are told together. */
#define DOMINATORS_MOST 10000u

static uint32_t *numbers_of(struct heap_by *by)
{
	return by->own.numbers.memory;
}

/* Takes the label over; NULL: no block has the number. */
static struct error *add_label(struct heap_by *by, char *label)
{
	bool has_room = area_reserve(&by->labels, (by->nr_labels + 1) * sizeof(char *));
	if (has_room && block_row_vec_push(&by->own.rows, (struct block_row){ 0 })) {
		((char **)by->labels.memory)[by->nr_labels++] = label;
		by->own.labels = by->labels.memory;
		return NULL;
	}
	free(label);
	return error_no_memory();
}

static struct error *add_text(struct heap_by *by, const char *text)
{
	char *label = strdup(text);
	return label ? add_label(by, label) : error_no_memory();
}

/* --- type, size, zone ------------------------------------------------------------------- */

static struct error *by_type(struct heap_question *question, struct heap_by *by)
{
	by->table = &question->table;
	return NULL;
}

static struct error *by_size(struct heap_question *question, struct heap_by *by)
{
	return block_table_make(&question->inspection.look, GROUP_BY_SIZE, &by->own);
}

static struct error *by_zone(struct heap_question *question, struct heap_by *by)
{
	return add_text(by, question->inspection.look.subject.allocator);
}

/* --- site ------------------------------------------------------------------------------- */

static struct error *by_site(struct heap_question *question, struct heap_by *by)
{
	const struct block_sites *sites = &question->inspection.look.sites;
	struct error *error = NULL;
	error = heap_needs_sites(question, "site");
	for (size_t i = 0; !error && i < sites->sites.nr; i++)
		error = add_text(by, sites->sites.items[i].stack);
	for (uint32_t i = 0; !error && i < question->graph->nr_blocks; i++)
		numbers_of(by)[i] = block_site(sites, i);
	return error;
}

/* --- arena ------------------------------------------------------------------------------ */

struct by_address {
	const struct arenas *arenas;
	const struct arena_span *span; /* of the block before */
	uint32_t *numbers;
};

static void number_by_arena(void *context, uint32_t rank, uint64_t address, uint64_t size)
{
	(void)size;
	struct by_address *self = context;
	if (!self->span || address < self->span->start || address >= self->span->end)
		self->span = arenas_at(self->arenas, address);
	self->numbers[rank] = !self->span                       ? 0
			      : self->span->arena == ARENA_NONE ? 1
								: self->span->arena + 2;
}

static struct error *by_arena(struct heap_question *question, struct heap_by *by)
{
	const struct arenas *arenas = &question->inspection.look.arenas;
	struct by_address self = { .arenas = arenas, .numbers = numbers_of(by) };
	struct error *error = add_text(by, "arena not known");
	if (!error)
		error = add_text(by, "mapped alone");
	for (size_t i = 0; !error && i < arenas->names.nr; i++)
		error = add_text(by, arenas->names.items[i]);
	space_each(&question->graph->space, number_by_arena, &self);
	return error;
}

/* --- root ------------------------------------------------------------------------------- */

static struct error *by_root(struct heap_question *question, struct heap_by *by)
{
	const struct root_groups *groups = &question->groups;
	struct area roots = { 0 }, used = { 0 };
	struct error *error = heap_find_roots(question, &roots);
	if (!error && !area_reserve(&used, bitmap_words(groups->groups.nr + 1) * 8))
		error = error_no_memory();
	for (uint32_t i = 0; !error && i < question->graph->nr_blocks; i++) {
		numbers_of(by)[i] = ((const uint32_t *)roots.memory)[i];
		bitmap_set(used.memory, numbers_of(by)[i]);
	}
	if (!error)
		error = add_text(by, "no root alone");
	for (uint32_t i = 0; !error && i < groups->groups.nr; i++) {
		bool is_used = bitmap_test(used.memory, i + 1);
		char *name = is_used ? root_groups_name(groups, i) : NULL;
		error = is_used && !name ? error_no_memory() : add_label(by, name);
	}
	area_release(&roots);
	area_release(&used);
	return error;
}

/* --- dominator -------------------------------------------------------------------------- */

/* A block that no other dominates, and that dominates others. */
struct top {
	uint32_t rank;
	uint64_t retained;
};
DEFINE_VEC(top_vec, struct top);

static int by_retained(const void *a, const void *b)
{
	const struct top *left = a, *right = b;
	if (left->retained != right->retained)
		return left->retained < right->retained ? 1 : -1;
	return left->rank < right->rank ? -1 : left->rank > right->rank;
}

/* The outermost block above each: those on the way there are told at once. */
static void find_tops(const struct dominators *dominators, uint32_t *tops)
{
	const uint32_t nr = dominators->nr_blocks;
	memset(tops, 0xff, nr * sizeof(*tops));
	for (uint32_t rank = 0; rank < nr; rank++) {
		uint32_t above = rank;
		while (tops[above] == RANK_NONE &&
		       dominators_parent(dominators, above) < nr)
			above = dominators_parent(dominators, above);
		const uint32_t top = tops[above] == RANK_NONE ? above : tops[above];
		for (uint32_t at = rank; at != above;
		     at = dominators_parent(dominators, at))
			tops[at] = top;
		tops[above] = top;
	}
}

/* Those that have others below them, each once. */
static bool collect_below(const struct dominators *dominators, const uint32_t *tops,
			  uint64_t *met, struct top_vec *most)
{
	for (uint32_t rank = 0; rank < dominators->nr_blocks; rank++) {
		const uint32_t top = tops[rank];
		const uint64_t retained = dominators_retained(dominators, top);
		if (top == rank || bitmap_test(met, top))
			continue;
		bitmap_set(met, top);
		if (!top_vec_push(most, (struct top){ top, retained }))
			return false;
	}
	return true;
}

static struct error *collect_tops(const struct dominators *dominators,
				  const uint32_t *tops, struct top_vec *most)
{
	struct area met = { 0 };
	bool good = area_reserve(&met, bitmap_words(dominators->nr_blocks + 1ul) * 8) &&
		    collect_below(dominators, tops, met.memory, most);
	area_release(&met);
	if (good && most->nr)
		qsort(most->items, most->nr, sizeof(most->items[0]), by_retained);
	return good ? NULL : error_no_memory();
}

static char *name_top(const struct heap_question *question, uint32_t rank)
{
	uint64_t address, size;
	char *type = heap_block_name(question, rank);
	struct str name = { 0 };
	space_block(&question->graph->space, rank, &address, &size);
	if (type)
		str_printf(&name, "%s at 0x%" PRIx64, type, address);
	free(type);
	return type ? str_take(&name) : NULL;
}

/* Gives the largest their rows; *rows becomes uint32_t by rank. */
static struct error *name_tops(const struct heap_question *question,
			       const struct top_vec *most, struct area *rows,
			       struct heap_by *by)
{
	struct error *error = add_text(by, "blocks that hold little or nothing else");
	if (!area_reserve(rows, (question->graph->nr_blocks + 1) * sizeof(uint32_t)))
		error = error ? error : error_no_memory();
	for (size_t i = 0; !error && i < most->nr && i < DOMINATORS_MOST; i++) {
		uint32_t rank = most->items[i].rank;
		char *name = name_top(question, rank);
		((uint32_t *)rows->memory)[rank] = (uint32_t)by->nr_labels;
		error = name ? add_label(by, name) : error_no_memory();
	}
	return error;
}

static struct error *by_dominator(struct heap_question *question, struct heap_by *by)
{
	struct top_vec most = { 0 };
	struct area rows = { 0 };
	uint32_t *tops = numbers_of(by);
	find_tops(&question->dominators, tops);
	struct error *error = collect_tops(&question->dominators, tops, &most);
	if (!error)
		error = name_tops(question, &most, &rows, by);
	for (uint32_t i = 0; !error && i < question->graph->nr_blocks; i++)
		tops[i] = ((const uint32_t *)rows.memory)[tops[i]];
	top_vec_deinit(&most);
	area_release(&rows);
	return error;
}

/* --- all ---------------------------------------------------------------------------------- */

static const struct {
	const char *noun;
	bool needs_tree;
	struct error *(*make)(struct heap_question *question, struct heap_by *by);
} kinds[] = {
	[HEAP_BY_TYPE] = { "type", false, by_type },
	[HEAP_BY_SIZE] = { "size", false, by_size },
	[HEAP_BY_ROOT] = { "root", true, by_root },
	[HEAP_BY_SITE] = { "site", false, by_site },
	[HEAP_BY_ARENA] = { "arena", false, by_arena },
	[HEAP_BY_ZONE] = { "zone", false, by_zone },
	[HEAP_BY_DOMINATOR] = { "dominator", true, by_dominator },
};

const char *heap_by_noun(enum analyse_heap_by by)
{
	return kinds[by].noun;
}

bool heap_by_needs_tree(enum analyse_heap_by by)
{
	return kinds[by].needs_tree;
}

struct error *heap_by_make(struct heap_question *question, enum analyse_heap_by by,
			   struct heap_by *result)
{
	*result = (struct heap_by){ .own = { .natures = question->table.natures } };
	result->table = &result->own;
	if (by != HEAP_BY_TYPE && by != HEAP_BY_SIZE &&
	    !area_reserve(&result->own.numbers,
			  (question->graph->nr_blocks + 1) * sizeof(uint32_t)))
		return error_no_memory();
	return kinds[by].make(question, result);
}

void heap_by_deinit(struct heap_by *by)
{
	for (size_t i = 0; i < by->nr_labels; i++)
		free(((char **)by->labels.memory)[i]);
	area_release(&by->labels);
	block_table_deinit(&by->own);
}
