/*
 * types_index: the walk through the units of a file, which finds records and variables. See
 * types_priv.h.
 */
#include "sym/types_priv.h"

#include <dwarf.h>
#include <elf.h>
#include <string.h>

#include "sym/elf_file.h"

/* Namespaces, classes, functions and blocks in each other. */
#define PATH_DEPTH 128u
/* An entry completes another, which completes another. */
#define COMPLETED_MAX 16u
/* No type is larger. */
#define SIZE_MAX_BYTES ((uint64_t)1 << 40)

struct path_step {
	Dwarf_Die die;
	uint32_t scope;
};

/* --- from entry to entry -------------------------------------------------------------- */

bool types_next(struct types *types, Dwarf_Die *die)
{
	Dwarf_Die next;
	if (!types_step(types))
		return false;
	int status = dwarf_siblingof(die, &next);
	if (status < 0 || (status == 0 && (uintptr_t)next.addr <= (uintptr_t)die->addr))
		types_note(types, DAMAGE_ENTRY, die);
	if (status != 0 || (uintptr_t)next.addr <= (uintptr_t)die->addr ||
	    !types_pass(types, (uintptr_t)next.addr - (uintptr_t)die->addr))
		return false;
	*die = next;
	return true;
}

bool types_child(struct types *types, Dwarf_Die *die, Dwarf_Die *child)
{
	if (!types_step(types))
		return false;
	int status = dwarf_child(die, child);
	if (status < 0)
		types_note(types, DAMAGE_ENTRY, die);
	return status == 0;
}

Dwarf_Attribute *types_attribute(struct types *types, Dwarf_Die *die, unsigned name,
				 Dwarf_Attribute *attribute)
{
	Dwarf_Die at = *die;
	for (unsigned i = 0; i < COMPLETED_MAX && types_step(types); i++) {
		Dwarf_Attribute link;
		if (dwarf_attr(&at, name, attribute))
			return attribute;
		if (!dwarf_attr(&at, DW_AT_abstract_origin, &link) &&
		    !dwarf_attr(&at, DW_AT_specification, &link))
			return NULL;
		if (!dwarf_formref_die(&link, &at))
			return NULL;
	}
	if (!types->current->is_spent)
		types_note(types, DAMAGE_RING, die);
	return NULL;
}

static bool is_record(int tag)
{
	return tag == DW_TAG_structure_type || tag == DW_TAG_class_type ||
	       tag == DW_TAG_union_type;
}

/* Whether records or variables may be in it. */
static bool is_around(int tag)
{
	return is_record(tag) || tag == DW_TAG_namespace || tag == DW_TAG_module ||
	       tag == DW_TAG_subprogram || tag == DW_TAG_lexical_block;
}

static uint64_t scope_hash(const struct types *types, uint32_t scope)
{
	return scope ? types->scopes.items[scope - 1].hash : HASH_SEED;
}

static uint64_t name_in(const struct types *types, uint32_t scope, const char *name)
{
	uint64_t hash = hash_bytes(scope_hash(types, scope), "::", 2);
	return hash_bytes(hash, name, strlen(name)) | 1;
}

/* --- what is found ------------------------------------------------------------------ */

static uint32_t add_scope(struct types *types, uint32_t parent, const char *name)
{
	struct types_scope scope = { .name = name, .parent = parent };
	scope.hash = name_in(types, parent, name);
	if (types->scopes.nr >= TYPES_RECORDS_MAX ||
	    !types_scope_vec_push(&types->scopes, scope))
		return parent;
	return (uint32_t)types->scopes.nr;
}

/* What is declared in one place and defined in another, as "struct outer::inner { … }" and all of
   units that hold one type, belongs where it is declared, which comes first. */
static bool find_scope(const struct types *types, Dwarf_Die *die, uint32_t *scope)
{
	Dwarf_Attribute attribute;
	Dwarf_Die declared;
	if (!dwarf_attr(die, DW_AT_specification, &attribute))
		return true;
	if (!dwarf_formref_die(&attribute, &declared))
		return false;
	const uint64_t *number =
		map_find(&types->records_by_die, (uintptr_t)declared.addr);
	if (!number || !*number)
		return false;
	*scope = types->records.items[*number - 1].scope;
	return true;
}

static bool is_declaration(Dwarf_Die *die)
{
	Dwarf_Attribute attribute;
	bool flag = false;
	return dwarf_formflag(dwarf_attr(die, DW_AT_declaration, &attribute), &flag) ==
		       0 &&
	       flag;
}

static uint64_t size_of(struct types *types, Dwarf_Die *die)
{
	Dwarf_Attribute attribute;
	Dwarf_Word size = 0;
	if (dwarf_formudata(dwarf_attr(die, DW_AT_byte_size, &attribute), &size) != 0)
		return 0;
	if (size <= SIZE_MAX_BYTES)
		return size;
	types_note(types, DAMAGE_SIZE, die);
	return 0;
}

static void add_record(struct types *types, Dwarf_Die *die, uint32_t scope)
{
	if (!find_scope(types, die, &scope))
		return;
	const char *name = types_die_name(types, die);
	struct types_record record = { .die = *die, .scope = scope };
	record.is_union = dwarf_tag(die) == DW_TAG_union_type;
	record.is_declaration = is_declaration(die);
	record.size = size_of(types, die);
	record.file = types->current->number;
	if (types->records.nr >= TYPES_RECORDS_MAX)
		types_note(types, DAMAGE_MANY, die);
	if (types->records.nr >= TYPES_RECORDS_MAX ||
	    !types_record_vec_reserve(&types->records, types->records.nr + 1))
		return;
	uint64_t *by_die = map_at(&types->records_by_die, (uintptr_t)die->addr);
	if (!by_die || *by_die)
		return;
	if (name && *name) {
		record.name = name_in(types, scope, name);
		uint64_t *by_name = map_at(&types->records_by_name, record.name);
		if (!by_name)
			return;
		record.next = (uint32_t)*by_name;
		*by_name = types->records.nr + 1;
	}
	types->records.items[types->records.nr++] = record;
	*by_die = types->records.nr;
}

/* The name that a typedef gives to a record without one. */
static void add_nickname(struct types *types, Dwarf_Die *die)
{
	Dwarf_Attribute attribute;
	Dwarf_Die type;
	if (!dwarf_formref_die(dwarf_attr(die, DW_AT_type, &attribute), &type) ||
	    !is_record(dwarf_tag(&type)) || dwarf_hasattr(&type, DW_AT_name))
		return;
	const char *name = types_die_name(types, die);
	if (!name)
		return;
	uint64_t *nickname = map_at(&types->nicknames, (uintptr_t)type.addr);
	if (nickname && !*nickname)
		*nickname = (uintptr_t)name;
}

/* --- where variables stand ------------------------------------------------------------ */

/* An address of those that a unit keeps together. */
static bool address_of(const struct types_walk *walk, Dwarf_Attribute *location,
		       const Dwarf_Op *operation, uint64_t *number)
{
	Dwarf_Attribute indirect;
	Dwarf_Addr address;
	if (walk->addresses) {
		if (operation->number >= walk->nr_addresses)
			return false;
		memcpy(number, walk->addresses + operation->number * sizeof(*number),
		       sizeof(*number));
		return true;
	}
	if (dwarf_getlocation_attr(location, operation, &indirect) != 0 ||
	    dwarf_formaddr(&indirect, &address) != 0)
		return false;
	*number = address;
	return true;
}

/* The number that an operation pushes; false: it is another. */
static bool pushed(const struct types_walk *walk, Dwarf_Attribute *location,
		   const Dwarf_Op *operation, uint64_t *number)
{
	switch (operation->atom) {
	case DW_OP_addr:
	case DW_OP_const4u:
	case DW_OP_const8u:
		*number = operation->number;
		return true;
	case DW_OP_addrx:
	case DW_OP_GNU_addr_index:
	case DW_OP_constx:
	case DW_OP_GNU_const_index:
		return address_of(walk, location, operation, number);
	default:
		return false;
	}
}

/* What linkers threw away they put at 0, at what is added to that, or at -1: no module's data is
   there. What never changes leads to no block. */
static bool is_of_module(const struct types_walk *walk, uint64_t address)
{
	if (!walk->segments)
		return address && address < INT64_MAX;
	for (size_t i = 0; i < walk->nr_segments; i++) {
		const struct elf_segment *segment = &walk->segments[i];
		if (segment->type == PT_LOAD && (segment->flags & PF_W) &&
		    address - segment->address < segment->memory_size)
			return true;
	}
	return false;
}

/* Of threads' variables GCC 12 with -gsplit-dwarf says where they would be in the file's image. */
static bool is_of_threads(const struct types_walk *walk, uint64_t *offset)
{
	for (size_t i = 0; i < walk->nr_segments; i++) {
		const struct elf_segment *segment = &walk->segments[i];
		if (segment->type != PT_TLS)
			continue;
		if (*offset >= segment->memory_size)
			*offset -= segment->address;
		return *offset < segment->memory_size;
	}
	return !walk->segments && *offset < INT64_MAX;
}

static bool find_place(const struct types_walk *walk, Dwarf_Die *die,
		       struct types_variable *variable)
{
	Dwarf_Attribute location;
	Dwarf_Op *operations;
	size_t nr;
	if (!dwarf_attr(die, DW_AT_location, &location) ||
	    dwarf_whatform(&location) == DW_FORM_sec_offset ||
	    dwarf_getlocation(&location, &operations, &nr) != 0 || nr < 1 || nr > 2 ||
	    !pushed(walk, &location, &operations[0], &variable->address))
		return false;
	variable->is_thread_local = nr == 2;
	if (nr == 1)
		return is_of_module(walk, variable->address);
	return (operations[1].atom == DW_OP_form_tls_address ||
		operations[1].atom == DW_OP_GNU_push_tls_address) &&
	       is_of_threads(walk, &variable->address);
}

static void add_variable(const struct types_walk *walk, Dwarf_Die *die)
{
	struct types *types = walk->types;
	struct types_place place = { .die = *die, .file = types->current->number };
	place.variable.module_start = walk->module_start;
	if (types->places.nr >= TYPES_RECORDS_MAX) {
		types_note(types, DAMAGE_MANY, die);
		return;
	}
	if (!find_place(walk, die, &place.variable))
		return;
	if (!place.variable.is_thread_local)
		place.variable.address += walk->bias;
	(void)types_place_vec_push(&types->places, place);
}

/* --- the walk ----------------------------------------------------------------------- */

static void take(const struct types_walk *walk, const struct path_step *step)
{
	Dwarf_Die die = step->die;
	int tag = dwarf_tag(&die);
	if (is_record(tag))
		add_record(walk->types, &die, step->scope);
	else if (tag == DW_TAG_typedef)
		add_nickname(walk->types, &die);
	else if (tag == DW_TAG_variable)
		add_variable(walk, &die);
	/* What is said of code in a part needs its skeleton, too. */
	else if (tag == DW_TAG_subprogram && !walk->addresses)
		types_add_function(walk, &die);
}

/* The scope of what is in an entry. */
static uint32_t scope_in(struct types *types, const struct path_step *step)
{
	Dwarf_Die die = step->die;
	int tag = dwarf_tag(&die);
	if (tag != DW_TAG_namespace && !is_record(tag))
		return step->scope;
	const char *name = types_die_name(types, &die);
	if (!name && tag == DW_TAG_namespace)
		name = "(anonymous namespace)";
	const struct types_record *record = types_record_of(types, &die);
	uint32_t parent = record ? record->scope : step->scope;
	return name ? add_scope(types, parent, name) : parent;
}

void types_index_unit(const struct types_walk *walk, Dwarf_Die *unit)
{
	struct types *types = walk->types;
	struct path_step path[PATH_DEPTH];
	unsigned depth = 0;
	path[0].scope = 0;
	bool more = types_child(types, unit, &path[0].die);
	while (more || depth) {
		if (!more) {
			more = types_next(types, &path[--depth].die);
			continue;
		}
		struct path_step *step = &path[depth];
		take(walk, step);
		if (is_around(dwarf_tag(&step->die)) && depth + 1 < PATH_DEPTH &&
		    types_child(types, &step->die, &step[1].die)) {
			step[1].scope = scope_in(types, step);
			depth++;
		} else {
			more = types_next(types, &step->die);
		}
	}
}

/* Whether the last unit says that it is longer than the section, which libdw does not mind. */
static bool goes_on(const struct types_walk *walk, Dwarf_Die *last)
{
	size_t size, start = dwarf_dieoffset(last) - dwarf_cuoffset(last);
	const char *bytes = dwarf_file_section(walk->dwarf, ".debug_info", &size);
	uint32_t narrow;
	uint64_t wide;
	if (!bytes || start > size || size - start < sizeof(narrow) + sizeof(wide))
		return false;
	memcpy(&narrow, bytes + start, sizeof(narrow));
	memcpy(&wide, bytes + start + sizeof(narrow), sizeof(wide));
	size_t left = size - start - sizeof(narrow);
	return narrow == UINT32_MAX ? wide > left - sizeof(wide) : narrow > left;
}

void types_index(const struct types_walk *walk)
{
	Dwarf_CU *unit = NULL;
	Dwarf_Die die, last = { 0 };
	uint8_t type;
	int status = 0;
	while (types_step(walk->types) &&
	       (status = dwarf_get_units(walk->dwarf->dwarf, unit, &unit, NULL, &type,
					 &die, NULL)) == 0) {
		last = die;
		if (type == DW_UT_skeleton)
			types_index_part(walk, unit, &die);
		else
			types_index_unit(walk, &die);
	}
	if (status < 0 || (last.addr && goes_on(walk, &last)))
		types_note(walk->types, DAMAGE_UNIT, last.addr ? &last : NULL);
}
