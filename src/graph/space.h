/*
 * space: from an address to the block that holds it, in one cache line.
 *
 * The spans of the heap are laid end to end into one space of byte offsets. For each KiB of
 * it a group keeps which 16-byte granules begin a chunk, which of those chunks are blocks,
 * how many blocks come before it, and how far back the chunk begins that reaches into it.
 * A span that is one single block needs no groups: its offsets lie past theirs.
 *
 * Filled in ascending order of addresses by space_chunk(); blocks are numbered in that
 * order: their rank.
 */
#ifndef SEEP_GRAPH_SPACE_H
#define SEEP_GRAPH_SPACE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/area.h"
#include "base/error.h"
#include "base/vec.h"

#define SPACE_NONE  UINT64_MAX
#define GROUP_BYTES 1024u
#define GRANULE     16u
#define RANK_NONE   UINT32_MAX
/* A rank must leave room for two bits in an edge. */
#define RANK_MAX ((1u << 30) - 2)

struct space_group {
	uint64_t starts; /* granules where a chunk's user bytes begin */
	uint64_t live;   /* those of them that are blocks */
	uint32_t rank;   /* blocks that begin before this group */
	uint32_t back;   /* groups back to the nearest earlier one with a start */
};

struct space_span {
	uint64_t start, end; /* addresses */
	uint64_t base;       /* offset of `start` rounded down to a group */
	bool single;
	uint32_t rank; /* of the block of a single span; RANK_NONE until known */
};
DEFINE_VEC(space_span_vec, struct space_span);

struct space {
	struct space_span_vec spans; /* ascending */
	struct area groups;
	uint64_t nr_groups;
	uint64_t grouped_size, size; /* offsets: of spans with groups, of all */
	uint64_t nr_blocks;
	size_t biggest; /* the span that most words point into */
	/* While filling: */
	size_t filling;      /* index of the span */
	uint64_t last_start; /* group of the last start in it, RANK_NONE: none */
	uint64_t filled;     /* groups before this one are complete */
};

/* Spans in ascending order; all of them before the first chunk. */
struct error *space_add_span(struct space *space, uint64_t start, uint64_t end,
			     bool single) MUST_CHECK;
struct error *space_ready(struct space *space) MUST_CHECK;
void space_deinit(struct space *space);

/* Takes in the next chunk whose user bytes begin at `address`; a block or not. Gives the
   block its rank. */
struct error *space_chunk(struct space *space, uint64_t address,
			  bool is_block) MUST_CHECK;
void space_finish(struct space *space);

/* The offset of an address, SPACE_NONE if it is in no span. */
uint64_t space_offset(const struct space *space, uint64_t address);

struct space_hit {
	uint32_t rank;     /* RANK_NONE: no block there */
	uint64_t distance; /* from the block's start */
};
struct space_hit space_find(const struct space *space, uint64_t offset);

/* Address and usable bytes of a block. */
void space_block(const struct space *space, uint32_t rank, uint64_t *address,
		 uint64_t *size);

/* Calls back for every block in order of rank. */
typedef void space_visit(void *context, uint32_t rank, uint64_t address, uint64_t size);
void space_each(const struct space *space, space_visit *visit, void *context);

static inline struct space_group *space_groups(const struct space *space)
{
	return space->groups.memory;
}

#endif
