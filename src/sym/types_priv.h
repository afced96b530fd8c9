/*
 * types_priv: what the parts of types share: types.c (life, questions), types_index.c (the walk
 * through units), types_build.c (entries made types), types_heirs.c (what begins with what).
 *
 * An entry of debug information is known by the address that libdw gives it, which is another in
 * every file.
 */
#ifndef SEEP_SYM_TYPES_PRIV_H
#define SEEP_SYM_TYPES_PRIV_H

#include "base/hash.h"
#include "base/map.h"
#include "base/vec.h"
#include "sym/dwarf_file_priv.h"
#include "sym/name_table_priv.h"
#include "sym/types.h"

/* Entries that are looked at before the debug information counts as damaged. */
#define TYPES_STEPS_MAX   ((uint64_t)1 << 27)
#define TYPES_RECORDS_MAX ((size_t)1 << 22)
/* Types in each other, and what stands between a name and its type. */
#define TYPES_DEPTH_MAX   64u
#define TYPES_MEMBERS_MAX ((size_t)1 << 16)
/* Members that are looked at to answer one question. */
#define TYPES_VISITS_MAX (1u << 16)

/* A namespace or class around an entry. */
struct types_scope {
	const char *name;
	uint32_t parent; /* number; 0: none */
	uint64_t hash;   /* of the whole name so far */
};
DEFINE_VEC(types_scope_vec, struct types_scope);

/* An entry of a struct, class or union, defined or declared. */
struct types_record {
	Dwarf_Die die;
	uint64_t name;   /* hash of the whole name; 0: it has none */
	uint64_t layout; /* hash of its members; 0: not known yet */
	uint64_t size;
	uint32_t scope;
	uint32_t next; /* the next of that name, plus one */
	bool is_declaration;
	bool is_union;
};
DEFINE_VEC(types_record_vec, struct types_record);

struct types_place {
	Dwarf_Die die;
	struct types_variable variable;
};
DEFINE_VEC(types_place_vec, struct types_place);

/* Something of `size` bytes begins with the type of a certain identity. */
struct types_heir {
	uint64_t of, is; /* identities */
	uint64_t size;
	bool is_flexible;
};
DEFINE_VEC(types_heir_vec, struct types_heir);

struct types_entry {
	Dwarf_Die die; /* addr NULL: of no entry */
	uint64_t identity;
	bool pointee_is_known;
};
DEFINE_VEC(types_entry_vec, struct types_entry);
DEFINE_VEC(type_vec, struct type);
DEFINE_VEC(type_member_vec, struct type_member);
DEFINE_VEC(dwarf_file_vec, struct dwarf_file *);
DEFINE_VEC(text_ptr_vec, char *);

struct types {
	struct dwarf_file_vec files;
	bool is_broken; /* libdw ran out of memory: it is not asked again */
	uint64_t steps;
	/* What the walk found. */
	struct types_scope_vec scopes;
	struct types_record_vec records;
	struct types_place_vec places;
	struct map records_by_die;  /* numbers, plus one */
	struct map records_by_name; /* of the last of that name, plus one */
	struct map
		nicknames; /* names (const char *) that typedefs give to entries without one */
	/* What was made of it. */
	struct type_vec types;
	struct types_entry_vec entries; /* by the same numbers */
	struct type_member_vec members;
	struct map by_die, by_identity, by_class; /* numbers of types, plus one */
	struct text_ptr_vec texts;                /* names that were made; owned */
	struct types_heir_vec heirs;              /* by `of` */
	struct map heirs_seen;                    /* records whose edges are there */
	struct map heirs_told;                    /* answers */
	struct map classes_by_name; /* numbers of records plus one, by hash of name */
};

static inline bool types_step(struct types *types)
{
	return ++types->steps < TYPES_STEPS_MAX;
}

/* Walks the units of a file. Addresses get `bias` added. */
void types_index(struct types *types, Dwarf *dwarf, uint64_t bias, uint64_t module_start);

/* The next entry beside one; false: there is none. */
bool types_next(struct types *types, Dwarf_Die *die);

/* The record that an entry is; NULL: none. */
struct types_record *types_record_of(struct types *types, const Dwarf_Die *die);
/* Of a declaration its definition, if there is one for sure, else itself. */
struct types_record *types_definition(struct types *types, struct types_record *record);
/* A name of a record, owned by the types. */
const char *types_record_name(struct types *types, struct types_record *record);

/* Goes to what is meant by typedefs, const and the like; false: void. */
bool types_strip(struct types *types, Dwarf_Die *die);
/* The type of an entry, stripped. */
bool types_type_of(struct types *types, Dwarf_Die *die, Dwarf_Die *type);
/* What an entry that was stripped is, for comparing; 0: nothing to compare. */
uint64_t types_identity(struct types *types, Dwarf_Die *die, unsigned depth);
/* The offset of a member, false: of none that has a place of its own. */
bool types_member_offset(Dwarf_Die *member, uint64_t *offset);

/* Makes a type of an entry that was stripped. */
uint32_t types_build(struct types *types, Dwarf_Die *die, unsigned depth);
/* Finds out what begins with what. */
void types_find_heirs(struct types *types);
/* A new one; TYPE_NONE: there is no room. */
uint32_t types_add(struct types *types, const struct type *type, const Dwarf_Die *die,
		   uint64_t identity);
/* Keeps a text that was made with malloc; NULL if there is none, or memory ran out. */
const char *types_keep(struct types *types, char *text);

/* What a record of that name is to the C++ library. */
enum type_container types_container_of(const char *name);
/* Whether a record is bytes in which there is, or may be, one of its first argument. */
bool types_is_buffer(const char *name);
/* The number-th type that the template of an entry was given; false: there is none. */
bool types_argument_of(struct types *types, Dwarf_Die *die, unsigned number,
		       Dwarf_Die *type);

#endif
