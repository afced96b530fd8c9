/*
 * typing_follow: where the pointers of a type lead, and what they say of what is there. See
 * typing_priv.h.
 */
#include "analyse/typing_priv.h"

#include <string.h>

#define DEPTH_MAX 48u
/* Elements of a block that are looked at before it is said to be so many. */
#define ELEMENTS_LOOKED_AT 4096u
/* Small numbers that stand in place of pointers: NULL, MAP_FAILED. */
#define SENTINELS 4096u

/* --- what can stand there -------------------------------------------------------------- */

static bool is_sentinel(uint64_t word)
{
	return word + SENTINELS < 2 * SENTINELS;
}

/* A pointer into the heap leads to a block, or to its end; another to what is mapped. */
static bool is_plausible_pointer(const struct run *run, uint64_t word)
{
	struct met met;
	if (is_sentinel(word))
		return true;
	if (space_offset(run->task->space, word) != SPACE_NONE)
		return run_meets(run, word, &met) || run_meets(run, word - 1, &met);
	return target_region(run->task->target, word) != NULL;
}

/* Whether the number that tells which variant is there is that of a member. */
static bool is_selected(struct run *run, const struct type_member *member,
			uint64_t address)
{
	uint64_t selector = 0;
	return reader_bytes(&run->reader, address + member->selector_offset, &selector,
			    member->selector_size) &&
	       selector == (member->selector &
			    UINT64_MAX >> (64 - 8 * member->selector_size));
}

/* Of a record's variants only one is there. */
static bool is_there(struct run *run, uint32_t number, uint32_t i, uint64_t address)
{
	const struct type_member *members = types_members(run->types, number);
	if (!members[i].is_variant)
		return true;
	if (members[i].has_selector)
		return is_selected(run, &members[i], address);
	for (uint32_t j = 0; j < types_get(run->types, number)->nr_members; j++)
		if (!run_step(run) ||
		    (members[j].has_selector && is_selected(run, &members[j], address)))
			return false;
	return true;
}

static bool check(struct run *run, uint32_t number, uint64_t address, unsigned depth,
		  unsigned *nr_pointers);

static bool check_members(struct run *run, uint32_t number, uint64_t address,
			  unsigned depth, unsigned *nr_pointers)
{
	uint32_t nr = types_get(run->types, number)->nr_members;
	const struct type *type = types_get(run->types, number);
	if (type->kind == TYPE_UNION || (type->container >= CONTAINER_SHARED &&
					 run_follow_container(run, number, address)))
		return true;
	for (uint32_t i = 0; i < nr; i++) {
		const struct type_member *member = types_members(run->types, number) + i;
		if (member->type && is_there(run, number, i, address) &&
		    !check(run, member->type, address + member->offset, depth + 1,
			   nr_pointers))
			return false;
	}
	return true;
}

static bool check_word(struct run *run, uint64_t address, unsigned *nr_pointers)
{
	uint64_t word;
	if (!reader_word(&run->reader, address, &word) ||
	    !is_plausible_pointer(run, word))
		return false;
	*nr_pointers += !is_sentinel(word);
	return true;
}

static bool check_bool(struct run *run, uint64_t address)
{
	unsigned char byte;
	return reader_bytes(&run->reader, address, &byte, 1) && byte <= 1;
}

static bool check(struct run *run, uint32_t number, uint64_t address, unsigned depth,
		  unsigned *nr_pointers)
{
	const struct type *type = types_get(run->types, number);
	if (depth > DEPTH_MAX || !run_step(run))
		return false;
	switch ((enum type_kind)type->kind) {
	case TYPE_POINTER:
		return check_word(run, address, nr_pointers);
	case TYPE_SCALAR:
		return !(type->flags & TYPE_BOOL) || check_bool(run, address);
	case TYPE_ARRAY:
		for (uint64_t i = 0; i < type->count && i < ELEMENTS_LOOKED_AT; i++) {
			type = types_get(run->types, number);
			uint64_t size = types_get(run->types, type->target)->size;
			if (!check(run, type->target, address + i * size, depth + 1,
				   nr_pointers))
				return false;
		}
		return true;
	case TYPE_RECORD:
	case TYPE_UNION:
		return check_members(run, number, address, depth, nr_pointers);
	case TYPE_NAMED:
		break;
	}
	return true;
}

bool run_is_plausible(struct run *run, uint32_t type, uint64_t address,
		      unsigned *nr_pointers)
{
	*nr_pointers = 0;
	return check(run, type, address, 0, nr_pointers);
}

/* --- what a pointer says ----------------------------------------------------------------- */

struct pointing {
	struct run *run;
	const struct met *met;
	const struct counts *counts;
	uint32_t type;
	uint64_t element; /* bytes */
	bool is_array;    /* it is a pointer to an array */
};

static void claim(const struct pointing *pointing, enum typing_evidence evidence,
		  bool is_array, uint32_t nr)
{
	const struct claim said = {
		.type = pointing->type,
		.is_array = is_array,
		.evidence = evidence,
		.nr = nr,
	};
	run_claim(pointing->run, pointing->met, &said);
}

static bool has_heir(const struct pointing *pointing)
{
	const struct met *met = pointing->met;
	uint64_t min =
		met->size > met->slack && !met_fits(met, 0) ? met->size - met->slack : 0;
	return types_has_heir(pointing->run->types, pointing->type, min, met->size);
}

/* It begins with one, whatever else it is. */
static void point_to_prefix(const struct pointing *pointing)
{
	if (types_get(pointing->run->types, pointing->type)->flags & TYPE_LEADS)
		claim(pointing, TYPING_PREFIX, false, 1);
}

/* Whether a number beside the pointer says how many elements the block has. */
static bool is_counted(const struct pointing *pointing, uint64_t *smallest)
{
	bool found = false;
	*smallest = UINT64_MAX;
	for (unsigned i = 0; pointing->counts && i < pointing->counts->nr; i++) {
		uint64_t number = pointing->counts->numbers[i];
		if (number <= pointing->met->size / pointing->element) {
			found |= number &&
				 met_fits(pointing->met, number * pointing->element);
			*smallest = number < *smallest ? number : *smallest;
		}
	}
	return found;
}

/* What a few of a block's elements look like. */
struct elements {
	bool are_plausible;
	bool have_holes; /* one that leads nowhere comes before one that does */
	uint64_t nr_leading;
};

static struct elements look_at_elements(const struct pointing *pointing, uint64_t nr)
{
	struct elements elements = { .are_plausible = true };
	bool was_hole = false;
	for (uint64_t i = 0; i < nr && i < ELEMENTS_LOOKED_AT && elements.are_plausible;
	     i++) {
		unsigned nr_pointers;
		elements.are_plausible = run_is_plausible(
			pointing->run, pointing->type,
			pointing->met->address + i * pointing->element, &nr_pointers);
		elements.nr_leading += nr_pointers > 0;
		elements.have_holes |= was_hole && nr_pointers > 0;
		was_hole |= nr_pointers == 0;
	}
	return elements;
}

/*
 * Several of a type. Behind a header of any type there may be anything, so either a number beside
 * the pointer says how many there are, or every element looks like one and leads somewhere.
 */
static void point_to_array(const struct pointing *pointing)
{
	const struct type *type = types_get(pointing->run->types, pointing->type);
	const bool leads = type->flags & TYPE_LEADS,
		   is_record = type->kind == TYPE_RECORD;
	const uint64_t nr = pointing->met->size / pointing->element;
	uint64_t smallest;
	if (!met_fits(pointing->met, nr * pointing->element) || has_heir(pointing)) {
		point_to_prefix(pointing);
		return;
	}
	bool counted = is_counted(pointing, &smallest);
	struct elements elements = look_at_elements(pointing, nr);
	if (counted) {
		/* What is beyond the elements in use may be left from before; a table with
		   holes is in use everywhere. */
		bool all = elements.are_plausible && elements.have_holes;
		claim(pointing, TYPING_POINTER, true,
		      all || smallest > UINT32_MAX - 1 ? UINT32_MAX : (uint32_t)smallest);
	} else if (type->kind == TYPE_SCALAR ||
		   (leads && elements.are_plausible &&
		    elements.nr_leading >= (is_record ? 2 : 1))) {
		claim(pointing, TYPING_POINTER, true, UINT32_MAX);
	} else {
		point_to_prefix(pointing);
	}
}

/* One of a type, alone in its block. */
static void point_to_one(const struct pointing *pointing)
{
	unsigned nr_pointers;
	const struct type *type = types_get(pointing->run->types, pointing->type);
	bool is_many = pointing->is_array || type->kind != TYPE_RECORD;
	if (has_heir(pointing))
		point_to_prefix(pointing);
	else if (run_is_plausible(pointing->run, pointing->type, pointing->met->address,
				  &nr_pointers))
		claim(pointing, TYPING_POINTER, is_many, UINT32_MAX);
}

/* new[] of what has a destructor puts their number before them. */
static void point_behind_number(const struct pointing *pointing)
{
	uint64_t number;
	const struct met *met = pointing->met;
	if (met->distance != 8 ||
	    types_get(pointing->run->types, pointing->type)->kind != TYPE_RECORD ||
	    !reader_word(&pointing->run->reader, met->address, &number) || !number ||
	    number > met->size / pointing->element ||
	    !met_fits(met, number * pointing->element + 8))
		return;
	const struct claim said = {
		.type = pointing->type,
		.is_array = true,
		.has_cookie = true,
		.evidence = TYPING_POINTER,
		.nr = (uint32_t)number,
	};
	run_claim(pointing->run, met, &said);
}

/* Most pointers lead to what others have led to. */
static bool says_nothing_new(const struct pointing *pointing)
{
	const struct typing_answer known = run_known(pointing->run, pointing->met->rank);
	const struct type *type = types_get(pointing->run->types, pointing->type);
	return known.type == pointing->type && known.evidence >= TYPING_POINTER &&
	       (known.is_array || (type->kind == TYPE_RECORD && !pointing->is_array));
}

static void follow(struct run *run, const struct pointer *pointer)
{
	struct met met;
	struct pointing pointing = {
		.run = run,
		.met = &met,
		.counts = pointer->is_counted ? &pointer->counts : NULL,
		.type = pointer->type,
	};
	uint32_t number = pointer->type;
	if (!run_meets(run, pointer->word, &met))
		return;
	const struct type *type = types_get(run->types, number);
	for (unsigned i = 0; i < DEPTH_MAX && type->kind == TYPE_ARRAY; i++) {
		pointing.type = type->target;
		pointing.is_array = true;
		type = types_get(run->types, pointing.type);
	}
	pointing.element = type->size;
	if (type->kind == TYPE_NAMED || type->kind == TYPE_ARRAY || type->size < 2 ||
	    type->size > met.size)
		return;
	if (met.distance)
		point_behind_number(&pointing);
	else if (says_nothing_new(&pointing) ||
		 type->flags & TYPE_POLYMORPHIC) /* its vtable says more */
		return;
	else if (met_fits(&met, type->size) || (type->flags & TYPE_FLEXIBLE))
		point_to_one(&pointing);
	else
		point_to_array(&pointing);
}

/* --- pointers on their way ------------------------------------------------------------ */

/* The place in the heap has come near: now what is known of the block there. */
static void prefetch_code(struct run *run, const struct pointer *pointer)
{
	uint64_t offset = space_offset(run->task->space, pointer->word);
	struct space_hit hit = space_find(run->task->space, offset);
	if (hit.rank != RANK_NONE)
		__builtin_prefetch(&run->codes[hit.rank]);
}

bool run_follow_pointer(struct run *run)
{
	if (run->nr_followed == run->nr_met)
		return false;
	const struct pointer pointer = run->pointers[run->nr_followed++ % POINTERS_AHEAD];
	follow(run, &pointer);
	return true;
}

void run_point(struct run *run, uint64_t word, uint32_t type, const struct counts *counts)
{
	uint64_t offset = space_offset(run->task->space, word);
	if (is_sentinel(word) || offset == SPACE_NONE)
		return;
	if (run->nr_met - run->nr_followed == POINTERS_AHEAD)
		run_follow_pointer(run);
	struct pointer *pointer = &run->pointers[run->nr_met++ % POINTERS_AHEAD];
	pointer->word = word;
	pointer->type = type;
	pointer->is_counted = counts != NULL;
	if (counts)
		pointer->counts = *counts;
	space_prefetch(run->task->space, offset);
	reader_prefetch(&run->reader, word);
	if (run->nr_met - run->nr_followed > POINTERS_AHEAD / 2)
		prefetch_code(run, &run->pointers[(run->nr_met - POINTERS_AHEAD / 2 - 1) %
						  POINTERS_AHEAD]);
}

/* --- following ---------------------------------------------------------------------- */

static void follow_pointer(struct run *run, uint32_t number, uint64_t address,
			   const struct counts *counts)
{
	uint64_t word;
	if (!reader_word(&run->reader, address, &word) || is_sentinel(word))
		return;
	uint32_t pointee = types_pointee(run->types, number);
	if (pointee)
		run_point(run, word, pointee, counts);
}

static void count(struct run *run, uint32_t type, uint64_t address, struct counts *counts)
{
	uint64_t number = 0;
	const struct type *of = types_get(run->types, type);
	if (!(of->flags & TYPE_INTEGER) || of->size > 8 ||
	    counts->nr == ARRAY_SIZE(counts->numbers) ||
	    !reader_bytes(&run->reader, address, &number, of->size))
		return;
	counts->numbers[counts->nr++] = number;
}

/* The integers of a record. */
static void count_members(struct run *run, uint32_t number, uint64_t address,
			  struct counts *counts)
{
	uint32_t nr = types_get(run->types, number)->nr_members;
	for (uint32_t i = 0; i < nr; i++) {
		const struct type_member *member = types_members(run->types, number) + i;
		count(run, member->type, address + member->offset, counts);
	}
}

static bool leads(const struct run *run, uint32_t type)
{
	return types_get(run->types, type)->flags & TYPE_LEADS;
}

static void follow_members(struct run *run, uint32_t number, uint64_t address,
			   unsigned depth)
{
	struct counts counts = { 0 };
	bool are_counted = false;
	uint32_t nr = types_get(run->types, number)->nr_members;
	for (uint32_t i = 0; i < nr && run_step(run); i++) {
		const struct type_member member = types_members(run->types, number)[i];
		if (!leads(run, member.type) || !is_there(run, number, i, address))
			continue;
		if (types_get(run->types, member.type)->kind != TYPE_POINTER) {
			run_follow(run, member.type, address + member.offset, depth + 1);
			continue;
		}
		if (!are_counted)
			count_members(run, number, address, &counts);
		are_counted = true;
		follow_pointer(run, member.type, address + member.offset, &counts);
	}
}

static void follow_elements(struct run *run, uint32_t number, uint64_t address,
			    unsigned depth)
{
	const struct type type = *types_get(run->types, number);
	uint64_t size = types_get(run->types, type.target)->size;
	for (uint64_t i = 0; i < type.count && run_step(run); i++)
		run_follow(run, type.target, address + i * size, depth + 1);
}

void run_follow(struct run *run, uint32_t number, uint64_t address, unsigned depth)
{
	if (depth > DEPTH_MAX || !leads(run, number))
		return;
	if (types_get(run->types, number)->container &&
	    run_follow_container(run, number, address))
		return;
	switch ((enum type_kind)types_get(run->types, number)->kind) {
	case TYPE_POINTER:
		follow_pointer(run, number, address, NULL);
		break;
	case TYPE_ARRAY:
		follow_elements(run, number, address, depth);
		break;
	case TYPE_RECORD:
	case TYPE_UNION:
		follow_members(run, number, address, depth);
		break;
	case TYPE_SCALAR:
	case TYPE_NAMED:
		break;
	}
}
