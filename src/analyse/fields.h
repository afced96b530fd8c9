/*
 * fields: what stands where in blocks of a type: names of members, and which of them are pointers.
 *
 * They go by the codes of natures, are stored with a snapshot, and need no debug information any more. A code whose
 * blocks are not all laid out alike has none.
 */
#ifndef SEEP_ANALYSE_FIELDS_H
#define SEEP_ANALYSE_FIELDS_H

#include "analyse/nature.h"
#include "analyse/typing.h"
#include "base/str.h"

/* A member that has no members itself: `count` neighbours of `size` bytes each. */
struct field {
	char *name; /* "next", "left.key"; owned */
	uint64_t offset, size, count;
	bool is_pointer;
};
DEFINE_VEC(field_vec, struct field);

struct layout {
	uint16_t code;           /* of natures */
	uint64_t stride;         /* the block is an array of such; 0: it is one */
	struct field_vec fields; /* ascending, none in another */
	size_t first; /* number of its first one among all; set by fields_add() */
};
DEFINE_VEC(layout_vec, struct layout);

struct fields {
	struct layout_vec layouts; /* ascending by code */
};

/* No record is told with more. */
#define FIELDS_MAX 4096u
/* No field ends behind so many bytes. */
#define FIELD_END_MAX ((uint64_t)1 << 40)

/* Of the types that were found; natures have their names already (typing_name()). */
struct error *fields_make(const struct typing *typing, struct types *types,
			  const struct natures *natures,
			  struct fields *fields) MUST_CHECK;
/* Takes over the layout; its code must be higher than all before; also when memory ran out. */
struct error *fields_add(struct fields *fields, struct layout *layout) MUST_CHECK;
void layout_deinit(struct layout *layout);
void fields_deinit(struct fields *fields);

/* Appends the name of what stands so far into a block: ".next", ".slots[3]"; false: it has none, and
   nothing was appended. */
bool fields_put(const struct fields *fields, uint16_t code, uint64_t offset,
		struct str *out);
/* The number of that field among all (layout.first); SIZE_MAX: there is none. */
size_t fields_number(const struct fields *fields, uint16_t code, uint64_t offset);
/* How many there are. */
size_t fields_nr(const struct fields *fields);
/* Whether a type says that there is a pointer. */
bool fields_has_pointer(const struct fields *fields, uint16_t code, uint64_t offset);

#endif
