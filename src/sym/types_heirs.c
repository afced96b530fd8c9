/*
 * types_heirs: which records begin with which types. See types_priv.h.
 *
 * A pointer to a type may as well stand for a record that begins with it: as first member or base
 * class, or by members of the same names, types and places, as C has it where "class" is not a word.
 * Lines of descent are an edge each, by identities, sorted; who asks follows them.
 */
#include "sym/types_priv.h"

#include <dwarf.h>
#include <stdlib.h>
#include <string.h>

/* Members that count for beginning alike. */
#define ALIKE_MAX 8u
/* Heirs of heirs that are looked at; where there are more, there is one that fits. */
#define HEIRS_MAX       1024u
#define HEIRS_LOOKED_AT (1u << 18)
#define ALIKE_TAG       UINT64_C(0x616c696b65)

/* --- the edges ---------------------------------------------------------------------- */

static void add_heir(struct types *types, uint64_t of, const struct types_heir *like)
{
	struct types_heir heir = *like;
	heir.of = of;
	if (of && of != heir.is)
		(void)types_heir_vec_push(&types->heirs, heir);
}

/* Arrays begin with their first element. */
static uint64_t first_identity(struct types *types, Dwarf_Die *type)
{
	for (unsigned i = 0; i < 8 && dwarf_tag(type) == DW_TAG_array_type; i++)
		if (!types_type_of(types, type, type))
			return 0;
	return types_identity(types, type, 0);
}

static bool is_member(Dwarf_Die *die)
{
	return dwarf_tag(die) == DW_TAG_member || dwarf_tag(die) == DW_TAG_inheritance;
}

static bool is_unbounded(struct types *types, Dwarf_Die *array)
{
	Dwarf_Die range;
	Dwarf_Attribute attribute;
	Dwarf_Word nr = 0;
	if (dwarf_tag(array) != DW_TAG_array_type || !types_child(types, array, &range))
		return false;
	if (dwarf_attr(&range, DW_AT_upper_bound, &attribute))
		return dwarf_formudata(&attribute, &nr) != 0 || nr + 1 <= 1;
	return !dwarf_attr(&range, DW_AT_count, &attribute) ||
	       dwarf_formudata(&attribute, &nr) != 0 || nr <= 1;
}

static uint64_t go_on(struct types *types, uint64_t alike, Dwarf_Die *member,
		      uint64_t offset)
{
	Dwarf_Die type;
	const char *name = types_die_name(types, member);
	uint64_t identity =
		types_type_of(types, member, &type) ? types_identity(types, &type, 0) : 0;
	uint64_t facts[] = { offset, identity };
	if (name)
		alike = hash_bytes(alike, name, strlen(name));
	return hash_bytes(alike, facts, sizeof(facts));
}

/* Members of a record one after the other; `alike` of the first `nr` of them. */
struct members {
	uint64_t alike[ALIKE_MAX];
	unsigned nr;
	bool is_flexible;
};

/* What stands at a record's beginning if it is of a variant. */
static void add_variants(struct types *types, Dwarf_Die *part,
			 const struct types_heir *heir)
{
	Dwarf_Die die, member, type;
	bool more = types_child(types, part, &die);
	for (; more; more = types_next(types, &die)) {
		bool has_member = types_child(types, &die, &member);
		for (; has_member; has_member = types_next(types, &member)) {
			uint64_t offset = 0;
			if (is_member(&member) &&
			    types_member_offset(types, &member, &offset) && !offset &&
			    types_type_of(types, &member, &type))
				add_heir(types, first_identity(types, &type), heir);
		}
	}
}

/* `heir` not NULL: it is noted as one of what it begins with. */
static void find_members(struct types *types, Dwarf_Die *record, bool is_union,
			 struct members *members, const struct types_heir *heir)
{
	Dwarf_Die die, type;
	uint64_t alike = ALIKE_TAG;
	*members = (struct members){ 0 };
	bool more = types_child(types, record, &die);
	for (; more; more = types_next(types, &die)) {
		uint64_t offset = 0;
		if (heir && dwarf_tag(&die) == DW_TAG_variant_part)
			add_variants(types, &die, heir);
		if (!is_member(&die) || !types_member_offset(types, &die, &offset) ||
		    !types_type_of(types, &die, &type))
			continue;
		members->is_flexible = is_unbounded(types, &type);
		alike = go_on(types, alike, &die, offset);
		if (!is_union && members->nr < ALIKE_MAX)
			members->alike[members->nr] = alike;
		members->nr++;
		if (offset == 0 && heir)
			add_heir(types, first_identity(types, &type), heir);
	}
}

static void add_record(struct types *types, struct types_record *record)
{
	struct members members;
	struct types_heir heir = { .size = record->size };
	heir.is = types_identity(types, &record->die, 0);
	/* Every unit that uses it has it once more. */
	uint64_t *known = map_at(&types->heirs_seen, heir.is);
	if (!known || *known)
		return;
	*known = 1;
	const char *name = types_die_name(types, &record->die);
	heir.is_never_alone = name && types_is_part(name);
	size_t first = types->heirs.nr;
	find_members(types, &record->die, record->is_union, &members, &heir);
	for (; first < types->heirs.nr; first++)
		types->heirs.items[first].is_flexible = members.is_flexible;
	heir.is_flexible = members.is_flexible;
	for (unsigned i = 0; i + 1 < members.nr && i < ALIKE_MAX && !record->is_union;
	     i++)
		add_heir(types, members.alike[i], &heir);
}

static int by_of(const void *a, const void *b)
{
	const struct types_heir *left = a, *right = b;
	return (left->of > right->of) - (left->of < right->of);
}

static void find_heirs(void *context)
{
	struct types *types = context;
	for (size_t i = 0; i < types->records.nr; i++) {
		struct types_record *record = &types->records.items[i];
		types_go_on_in(types, record->file);
		if (!record->is_declaration && types_step(types))
			add_record(types, record);
	}
	if (types->heirs.nr)
		qsort(types->heirs.items, types->heirs.nr, sizeof(*types->heirs.items),
		      by_of);
}

void types_find_heirs(struct types *types)
{
	if (!types->is_broken)
		types->is_broken = !dwarf_file_guard(find_heirs, types);
}

/* --- questions ---------------------------------------------------------------------- */

static size_t first_of(const struct types *types, uint64_t of)
{
	size_t low = 0, high = types->heirs.nr;
	while (low < high) {
		size_t middle = (low + high) / 2;
		if (types->heirs.items[middle].of < of)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

struct descent {
	uint64_t queue[HEIRS_MAX];
	unsigned nr;
};

static bool is_queued(const struct descent *descent, uint64_t identity)
{
	for (unsigned i = 0; i < descent->nr; i++)
		if (descent->queue[i] == identity)
			return true;
	return false;
}

struct question {
	struct types *types;
	uint32_t type;
	uint64_t min, max;
	bool answer;
};

/* What the members of a type are alike to, where there are no more than count. */
static uint64_t alike_of(struct types *types, uint32_t type)
{
	struct members members;
	Dwarf_Die die = types->entries.items[type].die;
	if (!die.addr || types->types.items[type].kind != TYPE_RECORD)
		return 0;
	find_members(types, &die, false, &members, NULL);
	return members.nr && members.nr <= ALIKE_MAX ? members.alike[members.nr - 1] : 0;
}

static bool fits(const struct types_heir *heir, const struct question *question)
{
	return !heir->is_never_alone && heir->size <= question->max &&
	       (heir->size >= question->min || heir->is_flexible);
}

static bool descend(const struct question *question, struct descent *descent)
{
	const struct types *types = question->types;
	unsigned nr_left = HEIRS_LOOKED_AT;
	for (unsigned at = 0; at < descent->nr; at++) {
		uint64_t of = descent->queue[at];
		for (size_t i = first_of(types, of);
		     i < types->heirs.nr && types->heirs.items[i].of == of; i++) {
			const struct types_heir *heir = &types->heirs.items[i];
			if (fits(heir, question) || !nr_left--)
				return true;
			if (heir->size > question->max || is_queued(descent, heir->is))
				continue;
			if (descent->nr == HEIRS_MAX)
				return true;
			descent->queue[descent->nr++] = heir->is;
		}
	}
	return false;
}

static void ask(void *context)
{
	struct question *question = context;
	struct types *types = question->types;
	struct descent *descent = calloc(1, sizeof(*descent));
	types_enter(types, types->entries.items[question->type].file);
	uint64_t alike = alike_of(types, question->type);
	question->answer = true;
	if (!descent)
		return;
	descent->queue[descent->nr++] = types->entries.items[question->type].identity;
	if (alike)
		descent->queue[descent->nr++] = alike;
	question->answer = descend(question, descent);
	free(descent);
}

/* What is asked again and again: the answer for a type and a size. */
static uint64_t question_key(const struct question *question)
{
	uint64_t facts[] = { question->type, question->min, question->max };
	return hash_bytes(HASH_SEED, facts, sizeof(facts));
}

bool types_has_heir(struct types *types, uint32_t type, uint64_t min, uint64_t max)
{
	struct question question = { types, type, min, max, true };
	uint64_t *known = map_at(&types->heirs_told, question_key(&question));
	if (known && *known)
		return *known == 2;
	if (types->is_broken)
		return true;
	types->is_broken |= !dwarf_file_guard(ask, &question);
	if (known)
		*known = question.answer ? 2 : 1;
	return question.answer;
}

/* --- of two types -------------------------------------------------------------------- */

/* Whether it has all the members of another first, which are `nr` at least. */
static bool begins_alike(const struct types *types, const struct type *outer,
			 const struct type *inner)
{
	if (outer->kind != TYPE_RECORD || inner->kind != TYPE_RECORD ||
	    !inner->nr_members || inner->nr_members > outer->nr_members)
		return false;
	const struct type_member *a = types->members.items + outer->first_member;
	const struct type_member *b = types->members.items + inner->first_member;
	for (uint32_t i = 0; i < inner->nr_members; i++)
		if (a[i].offset != b[i].offset || a[i].type != b[i].type ||
		    !a[i].name != !b[i].name ||
		    (a[i].name && strcmp(a[i].name, b[i].name) != 0))
			return false;
	return true;
}

/* What is damaged may have itself in itself, in many ways. */
struct beginning {
	const struct types *types;
	uint32_t inner;
	unsigned nr_left; /* members to look at */
};

static bool begins_with(struct beginning *beginning, uint32_t outer, unsigned depth)
{
	const struct types *types = beginning->types;
	const struct type *type = &types->types.items[outer];
	if (outer == beginning->inner)
		return true;
	if (depth > TYPES_DEPTH_MAX || !outer)
		return false;
	if (type->kind == TYPE_ARRAY)
		return begins_with(beginning, type->target, depth + 1);
	if (begins_alike(types, type, &types->types.items[beginning->inner]))
		return true;
	for (uint32_t i = 0; i < type->nr_members && beginning->nr_left; i++) {
		const struct type_member *member =
			&types->members.items[type->first_member + i];
		beginning->nr_left--;
		if (member->offset == 0 && member->type &&
		    begins_with(beginning, member->type, depth + 1))
			return true;
	}
	return false;
}

bool types_begins_with(struct types *types, uint32_t outer, uint32_t inner)
{
	struct beginning beginning = { types, inner, TYPES_VISITS_MAX };
	return begins_with(&beginning, outer, 0);
}
