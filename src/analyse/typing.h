/*
 * typing: which type each block of a heap is of, without any help from the program.
 *
 * A block that begins with a vtable pointer is of its class. Pointers tell of others: debug
 * information says of what type variables are, and so what their pointers point to; what is known
 * of one block says what its pointers point to, and so on.
 *
 * A type is told only where nothing speaks against it. A block is not of a type that is larger than
 * it, or smaller than what would have been asked for; not of one that another type of a fitting
 * size begins with; not if its words cannot be what the type says; and not if pointers disagree:
 * then what followed from either is forgotten.
 */
#ifndef SEEP_ANALYSE_TYPING_H
#define SEEP_ANALYSE_TYPING_H

#include "analyse/nature.h"
#include "graph/space.h"
#include "sym/types.h"

/* How a type is known. Of two that disagree the later one counts. */
enum typing_evidence {
	TYPING_NOTHING,
	TYPING_PREFIX,    /* the block begins with one, but may be more: it has no type */
	TYPING_POINTER,   /* from the type of a pointer to it */
	TYPING_CONTAINER, /* it is a part of one of the C++ library's containers */
	TYPING_OBJECT,    /* its header says so: of an interpreter's objects */
	TYPING_VTABLE,
	TYPING_NR,
};

/* How a block's type is kept: 4 bytes per block. */
#define TYPING_TYPE_BITS 24u
#define TYPING_TYPE_MASK ((1u << TYPING_TYPE_BITS) - 1)

struct typing {
	struct area codes; /* uint32_t by rank */
	/* uint32_t by rank: bytes that a container keeps for elements that it does not have; UINT32_MAX: as
	   many or more. Empty: it is not known. */
	struct area spare;
	uint64_t nr_blocks;
	uint64_t typed_blocks, typed_bytes, blocks_bytes; /* usable bytes */
	uint64_t blocks_by[TYPING_NR], bytes_by[TYPING_NR];
	unsigned nr_rounds;
};

/* What is to be typed. The target must stand still; all is the caller's. */
struct typing_task {
	struct types *types;
	struct target *target;
	struct symbols *symbols;
	const struct space *space;
	const struct natures *natures; /* of all blocks; NULL: no vtables */
};

struct error *typing_run(const struct typing_task *task,
			 struct typing *typing) MUST_CHECK;
void typing_deinit(struct typing *typing);

struct typing_answer {
	uint32_t type;   /* TYPE_NONE: not known */
	bool is_array;   /* one or more of them */
	bool has_cookie; /* behind their number, see new[] */
	enum typing_evidence evidence;
};
/* 0 also where it is not known. */
static inline uint32_t typing_spare(const struct typing *typing, uint32_t rank)
{
	const uint32_t *spare = typing->spare.memory;
	return spare ? spare[rank] : 0;
}

struct typing_answer typing_answer(const struct typing *typing, uint32_t rank);

/* Makes the types known as natures, but for those that vtables tell: they are there already. */
struct error *typing_name(const struct typing *typing, struct types *types,
			  struct natures *natures) MUST_CHECK;

/* "vtable", "object", "pointer", "container" */
const char *typing_evidence_word(enum typing_evidence evidence);

#endif
