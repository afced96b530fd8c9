/*
 * types_priv: what the parts of types share: types.c (life, questions), types_index.c (the walk
 * through units), types_locals.c (functions, and what stands on their frames), types_split.c (units whose entries are in other files), types_build.c (entries made
 * types), types_heirs.c (what begins with what), types_damage.c (what damaged files may cost).
 *
 * An entry of debug information is known by the address that libdw gives it, which is another in
 * every file.
 */
#ifndef SEEP_SYM_TYPES_PRIV_H
#define SEEP_SYM_TYPES_PRIV_H

#include "base/hash.h"
#include "base/map.h"
#include "base/sentences.h"
#include "base/vec.h"
#include "sym/dwarf_file_priv.h"
#include "sym/name_table_priv.h"
#include "sym/types.h"

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
	uint32_t file; /* number */
	bool is_declaration;
	bool is_union;
};
DEFINE_VEC(types_record_vec, struct types_record);

struct types_place {
	Dwarf_Die die;
	uint32_t file;
	struct types_variable variable;
};
DEFINE_VEC(types_place_vec, struct types_place);

/* The code of a function, as it is mapped. */
struct types_function {
	uint64_t start, end, bias;
	Dwarf_Die die;
	uint32_t file;
};
DEFINE_VEC(types_function_vec, struct types_function);

/* Something of `size` bytes begins with the type of a certain identity. */
struct types_heir {
	uint64_t of, is; /* identities */
	uint64_t size;
	bool is_flexible;
	bool is_never_alone; /* a block is never of it, but may be of what begins with it */
};
DEFINE_VEC(types_heir_vec, struct types_heir);

struct types_entry {
	Dwarf_Die die; /* addr NULL: of no entry */
	uint64_t identity;
	uint32_t file;
	bool pointee_is_known;
};
DEFINE_VEC(types_entry_vec, struct types_entry);
DEFINE_VEC(type_vec, struct type);
DEFINE_VEC(type_member_vec, struct type_member);

enum types_damage_kind {
	DAMAGE_UNIT,
	DAMAGE_ENTRY,
	DAMAGE_RING,
	DAMAGE_SIZE,
	DAMAGE_NAME,
	DAMAGE_ENDLESS,
	DAMAGE_MANY,
	DAMAGE_NR,
};

struct types_damage {
	uint64_t nr;
	uint64_t place; /* of the first, in .debug_info */
	bool has_place;
};

/* A file, and what it has cost so far. The first one is none: what is made belongs to it. */
struct types_file {
	struct dwarf_file *dwarf; /* NULL: none */
	char *path;               /* for messages */
	uint32_t number;
	bool is_spent; /* it has cost too much, and is not asked any more */
	uint64_t steps, steps_max;
	uint64_t cpu_ns, cpu_max_ns, memory_max;
	struct types_damage damages[DAMAGE_NR];
};
DEFINE_VEC(types_file_vec, struct types_file *);
DEFINE_VEC(text_ptr_vec, char *);

struct types {
	struct types_file_vec files;
	struct types_file *current;  /* that which is asked */
	uint64_t clock_ns, cpu_ns;   /* when it was last looked at the clocks */
	uint64_t memory;             /* in use when it was entered */
	uint64_t bytes, bytes_asked; /* that all files take; see types_have_room() */
	size_t nr_modules;
	bool is_complete; /* all units were walked: only questions come now */
	bool is_broken;   /* libdw ran out of memory: it is not asked again */
	/* What could not be used: sentences, and parts of programs. */
	struct sentence_vec warnings;
	struct map parts; /* by hash of their paths: those that were opened */
	uint64_t nr_parts_missing;
	char *first_part_missing, *parts_missing_of; /* owned */
	/* What the walk found. */
	struct types_scope_vec scopes;
	struct types_record_vec records;
	struct types_place_vec places;
	struct types_function_vec functions; /* ascending, when the walk is over */
	struct map records_by_die;           /* numbers, plus one */
	struct map records_by_name;          /* of the last of that name, plus one */
	struct map definitions; /* by name: numbers plus one; UINT64_MAX: none for sure */
	struct map
		nicknames; /* names (const char *) that typedefs give to entries without one */
	/* What was made of it. */
	struct type_vec types;
	struct types_entry_vec entries; /* by the same numbers */
	struct type_member_vec members;
	struct map by_die, by_identity, by_class; /* numbers of types, plus one */
	struct text_ptr_vec texts;                /* names that were made; owned */
	uint64_t text_bytes;
	struct types_heir_vec heirs; /* by `of` */
	struct map heirs_seen;       /* records whose edges are there */
	struct map heirs_told;       /* answers */
	struct map classes_by_name;  /* numbers of records plus one, by hash of name */
};

/* --- types_damage.c --- */

/* False: the file has cost too much. */
bool types_step(struct types *types);
/* The same, for so many bytes that are passed over. */
bool types_pass(struct types *types, uint64_t bytes);
/* From now on a file bears the cost: at the beginning of what is asked, and within it. */
void types_enter(struct types *types, uint32_t file);
void types_go_on_in(struct types *types, uint32_t file);
/* `die` NULL: it has no place. */
void types_note(struct types *types, enum types_damage_kind kind, const Dwarf_Die *die);
/* The name of an entry that is no longer than it may be; NULL: none. */
const char *types_die_name(struct types *types, Dwarf_Die *die);
/* Takes `dwarf` (NULL: none) over; false when memory ran out. */
bool types_add_file(struct types *types, const char *path, struct dwarf_file *dwarf);
/* Whether there is memory for more files. */
bool types_have_room(struct types *types);

/* --- types_locals.c --- */

struct types_walk;
void types_add_function(const struct types_walk *walk, Dwarf_Die *die);
void types_sort_functions(struct types *types);

/* --- types_index.c, types_split.c --- */

/* What entries are taken from. */
struct types_walk {
	struct types *types;
	struct dwarf_file *dwarf;
	uint64_t bias, module_start;
	const struct elf_segment *segments; /* of the module; NULL: not known */
	size_t nr_segments;
	const struct target *target; /* where its parts are sought; NULL: ours */
	/* Of a part: the addresses that its unit uses, see DW_AT_addr_base. */
	const char *addresses;
	uint64_t nr_addresses;
};

/* Walks the units of a file, which is entered. Addresses get `bias` added. */
void types_index(const struct types_walk *walk);
void types_index_unit(const struct types_walk *walk, Dwarf_Die *unit);
/* Walks what a skeleton unit stands for. */
void types_index_part(const struct types_walk *walk, Dwarf_CU *unit, Dwarf_Die *skeleton);

/* The next entry beside one; false: there is none. */
bool types_next(struct types *types, Dwarf_Die *die);
/* The first entry in one. */
bool types_child(struct types *types, Dwarf_Die *die, Dwarf_Die *child);
/* An attribute, or that of what the entry completes; NULL: none. Unlike libdw's it opens no file. */
Dwarf_Attribute *types_attribute(struct types *types, Dwarf_Die *die, unsigned name,
				 Dwarf_Attribute *attribute);

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
bool types_member_offset(struct types *types, Dwarf_Die *member, uint64_t *offset);

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
/* Whether a record of that name (without scopes) is only ever a part of others. */
bool types_is_part(const char *name);
/* Whether a record is bytes in which there is, or may be, one of its first argument. */
bool types_is_buffer(const char *name);
/* The member of a record that is such a buffer itself; NULL: it has none. */
const char *types_buffer_in(const char *name);
/* The number-th type that the template of an entry was given; false: there is none. */
bool types_argument_of(struct types *types, Dwarf_Die *die, unsigned number,
		       Dwarf_Die *type);

#endif
