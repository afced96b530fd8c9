/*
 * types_build: entries of debug information made types. See types_priv.h.
 *
 * A type is known again by its identity, a hash of what it is: of a record its whole name and the
 * places and names of its members, of a pointer the identity of what it points to.
 */
#include "sym/types_priv.h"

#include <dwarf.h>
#include <string.h>

#include "base/str.h"

/* Pointers to pointers, arrays of arrays. */
#define IDENTITY_DEPTH 8u
/* Names that are made, one and all. */
#define RECORD_NAME_MAX ((size_t)1 << 16)
#define TEXTS_MAX_BYTES ((uint64_t)1 << 28)
/* Vectors and the like are arrays. */
#define SCALAR_MAX_BYTES 64u
/* No array is larger. */
#define ARRAY_MAX_BYTES ((uint64_t)1 << 40)
/* What identities begin with. */
enum { IDENTITY_SCALAR = 1, IDENTITY_POINTER, IDENTITY_ARRAY, IDENTITY_RECORD };

/* --- from entry to entry -------------------------------------------------------------- */

bool types_strip(struct types *types, Dwarf_Die *die)
{
	static const int tags[] = {
		DW_TAG_typedef,        DW_TAG_const_type,  DW_TAG_volatile_type,
		DW_TAG_restrict_type,  DW_TAG_atomic_type, DW_TAG_immutable_type,
		DW_TAG_template_alias,
	};
	for (unsigned i = 0; i < TYPES_DEPTH_MAX && types_step(types); i++) {
		Dwarf_Attribute attribute;
		Dwarf_Die next;
		bool is_between = false;
		for (size_t j = 0; j < ARRAY_SIZE(tags); j++)
			is_between |= dwarf_tag(die) == tags[j];
		if (!is_between)
			return true;
		if (!dwarf_formref_die(dwarf_attr(die, DW_AT_type, &attribute), &next))
			return false;
		*die = next;
	}
	if (!types->current->is_spent)
		types_note(types, DAMAGE_RING, die);
	return false;
}

bool types_type_of(struct types *types, Dwarf_Die *die, Dwarf_Die *type)
{
	Dwarf_Attribute attribute;
	return dwarf_formref_die(types_attribute(types, die, DW_AT_type, &attribute),
				 type) &&
	       types_strip(types, type);
}

/* DWARF 2 has it as an expression that adds a number to the record's address. */
static bool computed_offset(Dwarf_Attribute *attribute, Dwarf_Word *value)
{
	Dwarf_Op *operations;
	size_t nr;
	if (dwarf_getlocation(attribute, &operations, &nr) != 0 || nr != 1 ||
	    operations[0].atom != DW_OP_plus_uconst)
		return false;
	*value = operations[0].number;
	return true;
}

bool types_member_offset(struct types *types, Dwarf_Die *member, uint64_t *offset)
{
	Dwarf_Attribute attribute;
	Dwarf_Word value = 0;
	if (!types_step(types))
		return false;
	if (dwarf_hasattr(member, DW_AT_virtuality) &&
	    dwarf_tag(member) == DW_TAG_inheritance)
		return false;
	if (dwarf_hasattr(member, DW_AT_external) ||
	    dwarf_hasattr(member, DW_AT_declaration) ||
	    dwarf_hasattr(member, DW_AT_bit_size))
		return false;
	if (dwarf_attr(member, DW_AT_data_member_location, &attribute) &&
	    dwarf_formudata(&attribute, &value) != 0 &&
	    !computed_offset(&attribute, &value))
		return false;
	*offset = value;
	return true;
}

static uint64_t size_of(Dwarf_Die *die)
{
	Dwarf_Attribute attribute;
	Dwarf_Word size = 0;
	if (dwarf_formudata(dwarf_attr(die, DW_AT_byte_size, &attribute), &size) != 0)
		return 0;
	return size;
}

static bool is_pointer(int tag)
{
	return tag == DW_TAG_pointer_type || tag == DW_TAG_reference_type ||
	       tag == DW_TAG_rvalue_reference_type;
}

static bool is_member(int tag)
{
	return tag == DW_TAG_member || tag == DW_TAG_inheritance;
}

static bool number_of(Dwarf_Die *die, unsigned name, Dwarf_Word *number)
{
	Dwarf_Attribute attribute;
	return dwarf_formudata(dwarf_attr(die, name, &attribute), number) == 0;
}

/* The elements of one dimension, 0: not known. Those of C begin with 0, others say where. */
static uint64_t elements_in(Dwarf_Die *range)
{
	Dwarf_Word nr = 0, last = 0, first = 0;
	if (number_of(range, DW_AT_count, &nr))
		return nr;
	if (!number_of(range, DW_AT_upper_bound, &last))
		return 0;
	number_of(range, DW_AT_lower_bound, &first);
	return last - first + 1;
}

/* How many elements an array has, of all its dimensions; 0: not known, or none. */
static uint64_t elements_of(struct types *types, Dwarf_Die *array)
{
	Dwarf_Die range;
	uint64_t product = 1;
	bool more = types_child(types, array, &range);
	for (; more; more = types_next(types, &range)) {
		if (dwarf_tag(&range) != DW_TAG_subrange_type)
			continue;
		uint64_t nr = elements_in(&range);
		if (!nr || nr > UINT32_MAX || product > UINT32_MAX)
			return 0;
		product *= nr;
	}
	return product;
}

/* --- records ------------------------------------------------------------------------ */

struct types_record *types_record_of(struct types *types, const Dwarf_Die *die)
{
	const uint64_t *number = map_find(&types->records_by_die, (uintptr_t)die->addr);
	return number && *number ? &types->records.items[*number - 1] : NULL;
}

static const char *nickname_of(const struct types *types, const Dwarf_Die *die)
{
	const uint64_t *nickname = map_find(&types->nicknames, (uintptr_t)die->addr);
	return nickname ? (const char *)(uintptr_t)*nickname : NULL;
}

/* What a member is of, by names: pointers and arrays are followed to what they are of, but no
   record is looked into. */
static uint64_t add_to_type(struct types *types, uint64_t hash, Dwarf_Die type)
{
	for (unsigned i = 0; i < IDENTITY_DEPTH; i++) {
		int tag = dwarf_tag(&type);
		hash = hash_bytes(hash, &tag, sizeof(tag));
		if (!is_pointer(tag) && tag != DW_TAG_array_type)
			break;
		if (!types_type_of(types, &type, &type))
			return hash;
	}
	const struct types_record *record = types_record_of(types, &type);
	if (record && record->name)
		return hash_bytes(hash, &record->name, sizeof(record->name));
	const char *name = record ? nickname_of(types, &type)
				  : types_die_name(types, &type);
	return name ? hash_bytes(hash, name, strlen(name)) : hash;
}

static uint64_t add_to_layout(struct types *types, uint64_t hash, Dwarf_Die *member)
{
	Dwarf_Die type;
	uint64_t offset = 0;
	const char *name = types_die_name(types, member);
	types_member_offset(types, member, &offset);
	if (types_type_of(types, member, &type))
		hash = add_to_type(types, hash, type);
	if (name)
		hash = hash_bytes(hash, name, strlen(name));
	return hash_bytes(hash, &offset, sizeof(offset));
}

/* Of what its members are called, where they are, and what kind of thing. */
static uint64_t layout_of(struct types *types, struct types_record *record)
{
	if (record->layout)
		return record->layout;
	Dwarf_Die member;
	uint64_t hash = hash_bytes(HASH_SEED, &record->size, sizeof(record->size));
	bool more = types_child(types, &record->die, &member);
	for (; more; more = types_next(types, &member))
		if (is_member(dwarf_tag(&member)))
			hash = add_to_layout(types, hash, &member);
	return record->layout = hash | 1;
}

/* The number of the one record that is defined by a name, plus one; UINT64_MAX: there is none, or
   there are several, and nobody can tell which is meant. */
static uint64_t find_definition(struct types *types, const struct types_record *declared)
{
	uint64_t found = UINT64_MAX;
	const uint64_t *number = map_find(&types->records_by_name, declared->name);
	for (uint64_t at = number ? *number : 0; at && types_step(types);) {
		struct types_record *one = &types->records.items[at - 1];
		uint64_t is = at;
		at = one->next;
		if (one->is_declaration || one->is_union != declared->is_union)
			continue;
		if (found != UINT64_MAX &&
		    layout_of(types, &types->records.items[found - 1]) !=
			    layout_of(types, one))
			return UINT64_MAX;
		found = is;
	}
	return found;
}

struct types_record *types_definition(struct types *types, struct types_record *record)
{
	if (!record->is_declaration || !record->name)
		return record;
	uint64_t key = record->name ^ (record->is_union ? UINT64_MAX : 0);
	uint64_t *known = map_at(&types->definitions, key);
	if (!known)
		return record;
	if (!*known) {
		/* Of a file that has cost too much nothing is known for sure. */
		uint64_t found = find_definition(types, record);
		*known = types->current->is_spent ? UINT64_MAX : found;
	}
	return *known == UINT64_MAX ? record : &types->records.items[*known - 1];
}

/* Names of names may be as long as anything. */
static void put_name(struct str *out, const char *name)
{
	size_t length = strlen(name);
	if (out->length + length <= RECORD_NAME_MAX)
		str_append(out, name, length);
	else if (out->length <= RECORD_NAME_MAX)
		str_puts(out, "…");
}

static void put_scopes(const struct types *types, uint32_t scope, struct str *out)
{
	uint32_t path[TYPES_DEPTH_MAX];
	unsigned nr = 0;
	for (; scope && nr < TYPES_DEPTH_MAX;
	     scope = types->scopes.items[scope - 1].parent)
		path[nr++] = scope;
	while (nr-- > 0) {
		put_name(out, types->scopes.items[path[nr] - 1].name);
		str_puts(out, "::");
	}
}

const char *types_record_name(struct types *types, struct types_record *record)
{
	struct str name = { 0 };
	const char *own = types_die_name(types, &record->die);
	if (!own)
		own = nickname_of(types, &record->die);
	put_scopes(types, record->scope, &name);
	put_name(&name, own ? own : record->is_union ? "union {…}" : "struct {…}");
	types_pass(types, name.length);
	return types_keep(types, str_take(&name));
}

static uint64_t record_identity(struct types *types, struct types_record *record)
{
	record = types_definition(types, record);
	uint64_t name = record->name;
	const char *nickname = nickname_of(types, &record->die);
	if (!name && nickname)
		name = hash_bytes(HASH_SEED, nickname, strlen(nickname));
	uint64_t facts[] = { IDENTITY_RECORD, name,
			     record->is_declaration ? 0 : layout_of(types, record) };
	return hash_bytes(HASH_SEED, facts, sizeof(facts)) | 1;
}

/* --- identities ------------------------------------------------------------------------ */

static uint64_t compound_identity(struct types *types, Dwarf_Die *die, uint64_t kind,
				  uint64_t count, unsigned depth)
{
	Dwarf_Die target;
	uint64_t facts[] = { kind, count, 0 };
	if (depth < IDENTITY_DEPTH && types_type_of(types, die, &target))
		facts[2] = types_identity(types, &target, depth + 1);
	return hash_bytes(HASH_SEED, facts, sizeof(facts)) | 1;
}

static uint64_t scalar_identity(struct types *types, Dwarf_Die *die)
{
	const char *name = types_die_name(types, die);
	uint64_t facts[] = { IDENTITY_SCALAR, size_of(die) };
	uint64_t hash = hash_bytes(HASH_SEED, facts, sizeof(facts));
	return (name ? hash_bytes(hash, name, strlen(name)) : hash) | 1;
}

uint64_t types_identity(struct types *types, Dwarf_Die *die, unsigned depth)
{
	int tag = dwarf_tag(die);
	struct types_record *record = types_record_of(types, die);
	if (record)
		return record_identity(types, record);
	if (is_pointer(tag))
		return compound_identity(types, die, IDENTITY_POINTER, 0, depth);
	if (tag == DW_TAG_array_type)
		return compound_identity(types, die, IDENTITY_ARRAY,
					 elements_of(types, die), depth);
	if (tag == DW_TAG_base_type || tag == DW_TAG_enumeration_type)
		return scalar_identity(types, die);
	return 0;
}

/* --- types -------------------------------------------------------------------------- */

uint32_t types_add(struct types *types, const struct type *type, const Dwarf_Die *die,
		   uint64_t identity)
{
	struct types_entry entry = { .identity = identity,
				     .file = types->current->number };
	if (die)
		entry.die = *die;
	if (types->types.nr >= TYPES_MAX || !type_vec_push(&types->types, *type))
		return TYPE_NONE;
	if (!types_entry_vec_push(&types->entries, entry)) {
		types->types.nr--;
		return TYPE_NONE;
	}
	uint32_t number = (uint32_t)types->types.nr - 1;
	uint64_t *by_identity = identity ? map_at(&types->by_identity, identity) : NULL;
	if (by_identity)
		*by_identity = number + 1;
	return number;
}

const char *types_keep(struct types *types, char *text)
{
	size_t bytes = text ? strlen(text) : 0;
	if (text && (bytes > TEXTS_MAX_BYTES - types->text_bytes ||
		     !text_ptr_vec_push(&types->texts, text))) {
		free(text);
		return NULL;
	}
	types->text_bytes += bytes;
	return text;
}

/* Bytes of any kind say nothing of what they are for. */
static bool is_of_bytes(Dwarf_Die *die)
{
	int tag = dwarf_tag(die);
	return (tag == DW_TAG_base_type || tag == DW_TAG_enumeration_type) &&
	       size_of(die) <= 1;
}

static uint32_t build_scalar(struct types *types, Dwarf_Die *die, uint64_t identity)
{
	Dwarf_Attribute attribute;
	Dwarf_Word encoding = 0;
	struct type type = { .kind = TYPE_SCALAR, .size = size_of(die) };
	const char *name = types_die_name(types, die);
	if (!type.size || type.size > SCALAR_MAX_BYTES)
		return TYPE_NONE;
	type.name = name ? name : "enum {…}";
	if (dwarf_formudata(dwarf_attr(die, DW_AT_encoding, &attribute), &encoding) == 0)
		type.flags = encoding == DW_ATE_boolean ? TYPE_BOOL
			     : encoding == DW_ATE_signed || encoding == DW_ATE_unsigned
				     ? TYPE_INTEGER
				     : 0;
	return types_add(types, &type, die, identity);
}

/* A name for "T *", from T's without going deep. */
static const char *name_of_pointer(struct types *types, Dwarf_Die *die)
{
	struct str name = { 0 };
	Dwarf_Die target = *die;
	unsigned stars = 0;
	bool is_known = true;
	while (is_known && is_pointer(dwarf_tag(&target)) && stars < IDENTITY_DEPTH) {
		stars++;
		is_known = types_type_of(types, &target, &target);
	}
	struct types_record *record = is_known ? types_record_of(types, &target) : NULL;
	const char *base = is_known ? types_die_name(types, &target) : "void";
	if (record)
		base = types_record_name(types, record);
	put_name(&name, base ? base : "…");
	str_puts(&name, " ");
	while (stars-- > 0)
		str_puts(&name, "*");
	return types_keep(types, str_take(&name));
}

/* What a pointer leads to is found out when it is asked for: it may lead round in a ring. */
static uint32_t build_pointer(struct types *types, Dwarf_Die *die, uint64_t identity)
{
	Dwarf_Die target;
	struct type type = { .kind = TYPE_POINTER, .size = 8 };
	/* Some are of fewer bytes, and count from elsewhere. */
	if (size_of(die) && size_of(die) != type.size)
		return TYPE_NONE;
	if (types_type_of(types, die, &target) &&
	    dwarf_tag(&target) != DW_TAG_subroutine_type && !is_of_bytes(&target))
		type.flags = TYPE_LEADS;
	type.name = name_of_pointer(types, die);
	return types_add(types, &type, die, identity);
}

static uint32_t build_array(struct types *types, Dwarf_Die *die, uint64_t identity,
			    unsigned depth)
{
	Dwarf_Die element;
	struct type type = { .kind = TYPE_ARRAY };
	if (!types_type_of(types, die, &element))
		return TYPE_NONE;
	type.target = types_build(types, &element, depth + 1);
	if (!type.target)
		return TYPE_NONE;
	const struct type *of = &types->types.items[type.target];
	type.count = elements_of(types, die);
	if (of->size && type.count > ARRAY_MAX_BYTES / of->size)
		return TYPE_NONE;
	type.size = type.count * of->size;
	type.flags = of->flags & TYPE_LEADS;
	type.name = of->name;
	return types_add(types, &type, die, identity);
}

/* --- types of records ------------------------------------------------------------------ */

struct building {
	struct types *types;
	struct type type;
	struct type_member_vec members;
	unsigned depth;
	const struct type_member *variant; /* what the members are of; NULL: of none */
	/* Of a union: whether it is certain what its words lead to. */
	uint32_t leading;
	bool is_unsure;
};

static bool is_vtable_pointer(const char *name)
{
	return name && !strncmp(name, "_vptr", 5);
}

/* An array at the end that says no length, or one of 0 or 1, is as long as there is room. */
static void note_end(struct building *building, uint64_t offset, Dwarf_Die *type)
{
	if (dwarf_tag(type) != DW_TAG_array_type)
		return;
	uint64_t nr = elements_of(building->types, type);
	if (nr <= 1 && offset + 16 >= building->type.size)
		building->type.flags |= TYPE_FLEXIBLE;
}

/* The arms of a union stand in each other's place: what leads anywhere must do so alone, and not
   beside a pointer to anything. */
static void note_arm(struct building *building, uint32_t type)
{
	const struct type *of = &building->types->types.items[type];
	if (!(of->flags & TYPE_LEADS)) {
		building->is_unsure |= of->kind == TYPE_POINTER;
		return;
	}
	if (building->leading && building->leading != type)
		building->is_unsure = true;
	building->leading = type;
}

static void add_member(struct building *building, Dwarf_Die *die)
{
	struct types *types = building->types;
	Dwarf_Die type;
	struct type_member member = { 0 };
	if (building->variant)
		member = *building->variant;
	member.name = types_die_name(types, die);
	member.is_base = dwarf_tag(die) == DW_TAG_inheritance;
	if (!types_member_offset(types, die, &member.offset) ||
	    building->members.nr >= TYPES_MEMBERS_MAX)
		return;
	if (member.offset > building->type.size) {
		types_note(types, DAMAGE_SIZE, die);
		return;
	}
	if (!types_type_of(types, die, &type))
		return;
	if (is_vtable_pointer(member.name) && member.offset == 0)
		building->type.flags |= TYPE_POLYMORPHIC;
	note_end(building, member.offset, &type);
	member.type = types_build(types, &type, building->depth + 1);
	const struct type *of = &types->types.items[member.type];
	if (of->size > building->type.size - member.offset)
		member.type = TYPE_NONE;
	of = &types->types.items[member.type];
	building->type.flags |= of->flags & TYPE_LEADS;
	if (member.offset == 0 && of->kind == TYPE_RECORD)
		building->type.flags |= of->flags & TYPE_POLYMORPHIC;
	if (member.offset + of->size == building->type.size)
		building->type.flags |= of->flags & TYPE_FLEXIBLE;
	if (building->type.kind == TYPE_UNION)
		note_arm(building, member.type);
	(void)type_member_vec_push(&building->members, member);
}

static bool has_lists(struct types *types, Dwarf_Die *part)
{
	Dwarf_Die die;
	bool found = false;
	bool more = types_child(types, part, &die);
	for (; more; more = types_next(types, &die))
		found |= dwarf_hasattr(&die, DW_AT_discr_list) != 0;
	return found;
}

/* What tells which variant is there; false: it is not understood. */
static bool find_selector(struct building *building, Dwarf_Die *part,
			  struct type_member *variant)
{
	Dwarf_Attribute attribute;
	Dwarf_Die selector, type;
	struct types *types = building->types;
	*variant = (struct type_member){ .is_variant = true };
	/* Pascal's lists of values are not read, and so it is not known either when it is none. */
	if (has_lists(types, part))
		return false;
	if (!dwarf_formref_die(dwarf_attr(part, DW_AT_discr, &attribute), &selector) ||
	    !types_member_offset(types, &selector, &variant->selector_offset) ||
	    !types_type_of(types, &selector, &type))
		return false;
	uint64_t size = size_of(&type);
	variant->selector_size = (uint8_t)size;
	return size && size <= sizeof(variant->selector) &&
	       variant->selector_offset <= building->type.size &&
	       size <= building->type.size - variant->selector_offset;
}

/* One of several, of which the record's bytes say which it is. */
static void add_variants(struct building *building, Dwarf_Die *part)
{
	Dwarf_Die die, member;
	struct types *types = building->types;
	struct type_member variant;
	if (!find_selector(building, part, &variant))
		return;
	building->variant = &variant;
	bool more = types_child(types, part, &die);
	for (; more; more = types_next(types, &die)) {
		Dwarf_Word value = 0;
		if (dwarf_tag(&die) != DW_TAG_variant)
			continue;
		variant.has_selector = number_of(&die, DW_AT_discr_value, &value);
		variant.selector = value;
		bool has_member = types_child(types, &die, &member);
		for (; has_member; has_member = types_next(types, &member))
			if (is_member(dwarf_tag(&member)))
				add_member(building, &member);
	}
	building->variant = NULL;
}

static void add_members(struct building *building, Dwarf_Die *die)
{
	Dwarf_Die member;
	bool more = types_child(building->types, die, &member);
	for (; more; more = types_next(building->types, &member))
		if (is_member(dwarf_tag(&member)))
			add_member(building, &member);
		else if (dwarf_tag(&member) == DW_TAG_variant_part)
			add_variants(building, &member);
	if (building->is_unsure)
		building->type.flags &= ~TYPE_LEADS;
}

/* What stands in a buffer of bytes, of which there are so many behind an offset. */
static void add_contents(struct building *building, Dwarf_Die *die, uint64_t offset)
{
	Dwarf_Die type;
	struct types *types = building->types;
	struct type_member member = { .name = "(contents)", .offset = offset };
	if (!types_argument_of(types, die, 0, &type))
		return;
	member.type = types_build(types, &type, building->depth + 1);
	const struct type *of = &types->types.items[member.type];
	if (!of->size || of->size > building->type.size - offset)
		return;
	building->type.flags |= of->flags & TYPE_LEADS;
	(void)type_member_vec_push(&building->members, member);
}

static void add_buffer(struct building *building, Dwarf_Die *die)
{
	const char *name = types_buffer_in(building->type.name);
	for (size_t i = 0; name && i < building->members.nr; i++) {
		const struct type_member *member = &building->members.items[i];
		if (member->name && !strcmp(member->name, name)) {
			add_contents(building, die, member->offset);
			return;
		}
	}
	if (types_is_buffer(building->type.name))
		add_contents(building, die, 0);
}

/* Containers lead to blocks also where no pointer has a type. */
static void note_container(struct building *building, Dwarf_Die *die)
{
	enum type_container container = types_container_of(building->type.name);
	building->type.container = (uint8_t)container;
	add_buffer(building, die);
	if (container == CONTAINER_VARIANT)
		building->type.flags &= ~TYPE_LEADS;
	else if (container && container != CONTAINER_OPTIONAL)
		building->type.flags |= TYPE_LEADS;
}

static void finish_record(struct building *building, uint32_t number)
{
	struct types *types = building->types;
	struct type *type = &types->types.items[number];
	size_t nr = building->members.nr;
	building->type.first_member = (uint32_t)types->members.nr;
	if (types->members.nr + nr < UINT32_MAX &&
	    type_member_vec_reserve(&types->members, types->members.nr + nr)) {
		for (size_t i = 0; i < nr; i++)
			types->members.items[types->members.nr++] =
				building->members.items[i];
		building->type.nr_members = (uint32_t)nr;
	}
	*type = building->type;
}

static uint32_t build_record(struct types *types, struct types_record *record,
			     uint64_t identity, unsigned depth)
{
	struct building building = {
		.types = types,
		.type = { .kind = record->is_union ? TYPE_UNION : TYPE_RECORD,
			  .size = record->size },
		.depth = depth,
	};
	Dwarf_Die die = record->die;
	if (record->is_declaration || !record->size)
		return TYPE_NONE;
	building.type.name = types_record_name(types, record);
	if (!building.type.name)
		return TYPE_NONE;
	/* Before its members: damaged debug information may have it in itself. */
	uint32_t number = types_add(types, &building.type, &die, identity);
	if (!number)
		return TYPE_NONE;
	add_members(&building, &die);
	note_container(&building, &die);
	finish_record(&building, number);
	type_member_vec_deinit(&building.members);
	return number;
}

/* --- any type ----------------------------------------------------------------------- */

static uint32_t build_new(struct types *types, Dwarf_Die *die, uint64_t identity,
			  unsigned depth)
{
	int tag = dwarf_tag(die);
	struct types_record *record = types_record_of(types, die);
	if (record)
		return build_record(types, types_definition(types, record), identity,
				    depth);
	if (is_pointer(tag))
		return build_pointer(types, die, identity);
	if (tag == DW_TAG_array_type)
		return build_array(types, die, identity, depth);
	if (tag == DW_TAG_base_type || tag == DW_TAG_enumeration_type)
		return build_scalar(types, die, identity);
	return TYPE_NONE;
}

uint32_t types_build(struct types *types, Dwarf_Die *die, unsigned depth)
{
	const uint64_t *known = map_find(&types->by_die, (uintptr_t)die->addr);
	if (known)
		return (uint32_t)*known;
	if (depth > TYPES_DEPTH_MAX || !types_step(types))
		return TYPE_NONE;
	uint64_t identity = types_identity(types, die, 0);
	known = identity ? map_find(&types->by_identity, identity) : NULL;
	uint32_t number = known && *known ? (uint32_t)*known - 1
					  : build_new(types, die, identity, depth);
	uint64_t *by_die = map_at(&types->by_die, (uintptr_t)die->addr);
	if (by_die)
		*by_die = number;
	return number;
}
