/*
 * nature: what a block is, told from its first words while they stream by.
 *
 * A block whose first word points into a module's read-only data may be an object with a
 * vtable: that address is kept, and named after the look (a few distinct ones, however many
 * blocks). Any other block is described by what its first bytes look like.
 */
#ifndef SEEP_ANALYSE_NATURE_H
#define SEEP_ANALYSE_NATURE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/area.h"
#include "base/error.h"
#include "sym/symbols.h"
#include "target/target.h"

/* 16 bits per block: one of these, or NATURE_OBJECT + the number of a vtable address. */
enum nature {
	NATURE_DATA,
	NATURE_ZERO,
	NATURE_TEXT,
	NATURE_POINTERS,
	NATURE_OBJECT = 16, /* or of a type that is known otherwise: its address is 0 */
};
#define NATURES_MOST_OBJECTS (UINT16_MAX - NATURE_OBJECT)

struct nature_range {
	uint64_t start, end;
};
DEFINE_VEC(nature_range_vec, struct nature_range);
DEFINE_VEC(nature_address_vec, uint64_t);
DEFINE_VEC(nature_name_vec, char *);

struct natures {
	struct area codes; /* uint16_t by rank */
	struct nature_range_vec
		read_only; /* of modules: where vtables stand; ascending */
	uint64_t heap_start, heap_end;
	uint64_t modules_start, modules_end; /* the hull of `read_only` */
	struct nature_address_vec addresses; /* distinct vtable addresses */
	uint32_t table[1 << 17]; /* open addressing: number + 1 of an address */
	char **names; /* by number: class names, NULL where it is none; set by natures_name */
	size_t first_type;                 /* number of the first of `type_names` */
	struct nature_name_vec type_names; /* of types that were added; owned */
};

struct error *natures_create(const struct target *target,
			     struct natures **result) MUST_CHECK;
/* Natures of a look that was stored: without vtables at first. They get their numbers in the
   order in which they are listed; the name, NULL where there is none, is taken over also
   when that fails. */
struct error *natures_create_listed(struct natures **result) MUST_CHECK;
struct error *natures_list(struct natures *natures, uint64_t vtable,
			   char *name) MUST_CHECK;
void natures_destroy(struct natures *natures);

/* Whether natures_class() and natures_word() know the code. */
bool natures_knows(const struct natures *natures, uint64_t code);

/* Room for the codes of ranks below `nr`. */
struct error *natures_reserve(struct natures *natures, uint64_t nr) MUST_CHECK;

/* Where pointers to blocks lead: [start, end). */
void natures_set_heap(struct natures *natures, uint64_t start, uint64_t end);

/* So much of a block's start decides. */
#define NATURE_BYTES 32u

/* The code for a block that begins with these words (nr may be 0). */
uint16_t natures_classify(struct natures *natures, const uint64_t *words, size_t nr);

/* Whether a word may be the address of a vtable. */
bool natures_may_be_vtable(const struct natures *natures, uint64_t word);

static inline void natures_set(struct natures *natures, uint32_t rank, uint16_t code)
{
	((uint16_t *)natures->codes.memory)[rank] = code;
}

static inline uint16_t natures_get(const struct natures *natures, uint32_t rank)
{
	return ((const uint16_t *)natures->codes.memory)[rank];
}

/* The code of blocks of a type that is told by no vtable. All vtables have been met before, and may be
   named; 0: there are too many, or memory ran out. */
uint16_t natures_add_type(struct natures *natures, const char *name);

/* Names the vtables; those of no class become blocks of pointers. */
struct error *natures_name(struct natures *natures, struct symbols *symbols) MUST_CHECK;

/* The class of an object, or another type; NULL: it is of none. */
const char *natures_class(const struct natures *natures, uint16_t code);
/* Whether natures_class() is a type that no vtable told, as "item" or "double[]". */
bool natures_is_type(const struct natures *natures, uint16_t code);
/* The address that its class was told from; 0 without one. */
uint64_t natures_vtable(const struct natures *natures, uint16_t code);
/* "text", "pointers", "zeros", "data" */
const char *natures_word(const struct natures *natures, uint16_t code);

#endif
