/*
 * heap_past: earlier looks at the same process beside the one at hand. Native blocks do not move,
 * so a block is the same if its address and size are, and nobody touched it if the hash of its contents
 * is the same too.
 */
#ifndef SEEP_VIEWS_HEAP_PAST_H
#define SEEP_VIEWS_HEAP_PAST_H

#include "base/map.h"
#include "views/heap_by.h"

/* What became of blocks of an earlier look, by a row. */
struct past_amount {
	uint64_t blocks, bytes, gone_blocks, gone_bytes;
};

struct past_look {
	const char *file; /* the caller's */
	uint64_t created_ns;
	uint64_t nr_blocks;
	struct area blocks;  /* struct past_block[]: ascending */
	struct area amounts; /* struct past_amount by row */
};
DEFINE_VEC(past_look_vec, struct past_look);

DEFINE_VEC(past_name_vec, char *);

struct heap_past {
	struct heap_question *question;
	enum analyse_heap_by by;
	/* What blocks are counted by: rows are its numbers, and after them what only earlier looks have. */
	struct heap_by now;
	struct past_name_vec names; /* of rows; NULL: no block has it; owned */
	struct map rows;            /* + 1, by hash of their names */
	struct past_look_vec
		looks; /* the oldest first; the one at hand comes after them */
	/* By rank at hand, uint8_t: from which look on the block has been there without a gap, and from which
	   on its contents have been the same. The number of looks: only now. */
	struct area born, untouched;
};

#define PAST_LOOKS_MAX 250u

/* ERROR_REFUSED for a file that is no snapshot of this process, or a newer one. */
struct error *heap_past_load(struct heap_question *question, enum analyse_heap_by by,
			     struct heap_past *past) MUST_CHECK;
void heap_past_deinit(struct heap_past *past);

static inline unsigned heap_past_born(const struct heap_past *past, uint32_t rank)
{
	return ((const uint8_t *)past->born.memory)[rank];
}

static inline unsigned heap_past_untouched(const struct heap_past *past, uint32_t rank)
{
	return ((const uint8_t *)past->untouched.memory)[rank];
}

#endif
