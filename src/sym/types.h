/*
 * types: what the debug information of a target's modules says of types and variables.
 *
 * Units are walked once, when the types are created; types are taken from there when they are
 * first asked for. The same type, which every unit that uses it describes anew, has one number.
 * Two types of one name that are laid out differently are two types.
 *
 * Nothing of the files is trusted: what is damaged has no types, costs no more than so much, and
 * types_warn() tells of it. A module without debug information has none either; that is no error.
 *
 * Numbers are for good: types are never forgotten before types_destroy(). 0 is no type: void,
 * characters and bytes, functions, what is only declared, what is not understood.
 */
#ifndef SEEP_SYM_TYPES_H
#define SEEP_SYM_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/sentences.h"
#include "sym/symbols.h"
#include "target/target.h"

#define TYPE_NONE 0u
/* There are never more. */
#define TYPES_MAX (1u << 22)

enum type_kind {
	TYPE_NAMED, /* nothing is known but its name */
	TYPE_SCALAR,
	TYPE_POINTER,
	TYPE_ARRAY,
	TYPE_RECORD, /* struct, class */
	TYPE_UNION,
};

enum type_flags {
	TYPE_LEADS = 1 << 0,       /* has pointers in it that lead to what has a type */
	TYPE_POLYMORPHIC = 1 << 1, /* has a vtable pointer: at its start */
	TYPE_FLEXIBLE = 1 << 2, /* ends in an array that is as long as the block allows */
	TYPE_INTEGER = 1 << 3,
	TYPE_BOOL = 1 << 4,
};

/* What a record is to the C++ library. */
enum type_container {
	CONTAINER_NONE,
	CONTAINER_VECTOR,
	CONTAINER_STRING,
	CONTAINER_LIST,
	CONTAINER_TREE,
	CONTAINER_HASH,
	CONTAINER_DEQUE,
	CONTAINER_FORWARD_LIST,
	CONTAINER_LIBCXX_VECTOR,
	CONTAINER_LIBCXX_STRING,
	CONTAINER_LIBCXX_LIST,
	CONTAINER_LIBCXX_TREE,
	CONTAINER_LIBCXX_HASH,
	CONTAINER_LIBCXX_DEQUE,
	CONTAINER_LIBCXX_FORWARD_LIST,
	/* Those that only say whether there is something: */
	CONTAINER_SHARED,   /* what is counted, in one block with its numbers */
	CONTAINER_OPTIONAL, /* what may be there */
	CONTAINER_VARIANT,  /* one of several, and only the program knows which */
};

struct type {
	const char *name; /* as in source, without "struct" */
	uint64_t size;
	uint64_t count;  /* of an array */
	uint32_t target; /* of an array: of what */
	uint32_t first_member, nr_members;
	uint8_t kind;      /* enum type_kind */
	uint8_t flags;     /* enum type_flags */
	uint8_t container; /* enum type_container */
};

struct type_member {
	const char *name; /* NULL: has none, a base class */
	uint64_t offset;
	uint32_t type; /* TYPE_NONE: of no type */
	bool is_base;
	/* Of a variant (Rust's enums have them): it is there when the number that stands at
	   `selector_offset` of the record is `selector`; if it has none, when it is no other's. */
	bool is_variant, has_selector;
	uint8_t selector_size; /* bytes */
	uint64_t selector_offset, selector;
};

struct types; /* opaque */

/* The target's modules as they are now. Neither needs to be frozen. */
struct error *types_create(struct target *target, struct symbols *symbols,
			   struct types **result) MUST_CHECK;
/* Those of one file, as if it were mapped where it wants to be. */
struct error *types_open(const char *path, struct types **result) MUST_CHECK;
void types_destroy(struct types *types);

/* Appends what could not be used: which file, where in it, what to do. */
struct error *types_warn(const struct types *types,
			 struct sentence_vec *warnings) MUST_CHECK;

/* How many modules have debug information. */
size_t types_nr_modules(const struct types *types);

/* Valid until the next call of any other function here. */
const struct type *types_get(const struct types *types, uint32_t type);
const struct type_member *types_members(const struct types *types, uint32_t type);

/* What a pointer points to. */
uint32_t types_pointee(struct types *types, uint32_t type);

/* The same, but characters and bytes are types also. */
uint32_t types_pointed(struct types *types, uint32_t type);

/* The number-th type that a template was given; characters and bytes count. */
uint32_t types_argument(struct types *types, uint32_t type, unsigned number);
/* The member of that name, in the record itself, its bases, or the records and unions in it. */
bool types_find(const struct types *types, uint32_t type, const char *name,
		struct type_member *member);
/* A record called "NAME<VALUE>", whose only known member is a value behind so many bytes. */
uint32_t types_node(struct types *types, const char *name, uint32_t value,
		    uint64_t before, uint64_t behind);

/* A record of that name in which a value stands behind so many bytes; TYPE_NONE as value: nothing is
   known of it. */
uint32_t types_headed(struct types *types, const char *name, uint32_t value,
		      uint64_t before);
/* The record that is called so, or by a typedef; TYPE_NONE: there is none, or several. */
uint32_t types_named(struct types *types, const char *name);

/* A variable that stands at one place: globals and statics, of threads also. */
struct types_variable {
	uint64_t address; /* of the target; of a thread's: in its module's part of TLS */
	uint64_t module_start;
	bool is_thread_local;
};
size_t types_nr_variables(const struct types *types);
/* Its type. */
uint32_t types_variable(struct types *types, size_t number,
			struct types_variable *variable);

/* A call that waits for another, or is interrupted. Registers by their DWARF numbers. */
#define TYPES_REGISTERS 16u
struct types_frame {
	uint64_t code; /* an address in the instruction that it is at */
	uint64_t cfa;  /* the canonical frame address */
	bool is_interrupted;
	uint32_t known; /* a bit for each register whose value is known */
	uint64_t registers[TYPES_REGISTERS];
};

/* A variable or parameter of a call. */
struct types_local {
	uint32_t type;
	bool is_in_register;
	uint64_t address; /* where it stands, if not in a register: */
	uint64_t word;    /* what that holds */
};

/* Calls back for those of a frame of which it is certain that they have been written, and where they
   are now. */
void types_locals(struct types *types, const struct types_frame *frame,
		  void (*take)(void *context, const struct types_local *local),
		  void *context);

/* The class of that name, as the demangler writes it: one without members, if nothing is known
   of it; TYPE_NONE when memory ran out. */
uint32_t types_class(struct types *types, const char *name);

/* Whether `outer` is `inner`, or begins with it: has it as first member, or base class, or has
   the same first members. */
bool types_begins_with(struct types *types, uint32_t outer, uint32_t inner);

/* Whether there is a record of [min, max] bytes, or one that may have as many, that begins with
   this type, but is another: a pointer may as well stand for that. */
bool types_has_heir(struct types *types, uint32_t type, uint64_t min, uint64_t max);

#endif
