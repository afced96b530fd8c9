/*
 * space: from an address to the block that holds it, in one cache line.
 *
 * The spans of the heap are laid end to end into one space of byte offsets. For each KiB of
 * it a group keeps which 16-byte granules begin a chunk, which of those chunks are blocks,
 * how many blocks come before it, and how far back the chunk begins that reaches into it.
 * A span that is one single block needs no groups: its offsets lie past theirs.
 *
 * A block ends 8 bytes before the next chunk begins, where that one's size stands. In a packed space
 * it ends where the next chunk begins, chunks are 8-aligned, and offsets count half bytes, so
 * that a granule is 8 bytes.
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
	unsigned packed; /* 1: a packed space; to be set before the first span */
	/* The span that most words point into; offset = address - delta. */
	size_t biggest;
	uint64_t biggest_start, biggest_size, biggest_delta;
	/* While filling: */
	size_t filling; /* index of the span; SIZE_MAX: none yet */
	uint64_t filling_end, filling_delta;
	uint64_t last_start; /* group of the last start in it, RANK_NONE: none */
	uint64_t filled;     /* groups before this one are complete */
};

/* Spans in ascending order; all of them before the first chunk. */
struct error *space_add_span(struct space *space, uint64_t start, uint64_t end,
			     bool single) MUST_CHECK;
struct error *space_ready(struct space *space) MUST_CHECK;
void space_deinit(struct space *space);

/* Slow parts of space_chunk: the next span, and the next groups. */
void space_enter_span(struct space *space, uint64_t address);
void space_fill_groups(struct space *space, uint64_t group);

static inline struct space_group *space_groups(const struct space *space)
{
	return space->groups.memory;
}

/* Takes in the next chunk whose user bytes begin at `address`; a block or not. Gives the
   block its rank. */
static inline void space_chunk(struct space *space, uint64_t address, bool is_block)
{
	if (address >= space->filling_end)
		space_enter_span(space, address);
	struct space_span *span = &space->spans.items[space->filling];
	if (span->single) {
		span->rank = is_block ? (uint32_t)space->nr_blocks : RANK_NONE;
	} else {
		uint64_t offset = (address - space->filling_delta) << space->packed;
		uint64_t group = offset / GROUP_BYTES;
		if (group >= space->filled)
			space_fill_groups(space, group);
		uint64_t bit = offset / GRANULE % 64;
		space_groups(space)[group].starts |= (uint64_t)1 << bit;
		space_groups(space)[group].live |= (uint64_t)is_block << bit;
		space->last_start = group;
	}
	space->nr_blocks += is_block;
}

void space_finish(struct space *space);

/* The offset of an address, SPACE_NONE if it is in no span. */
uint64_t space_offset_anywhere(const struct space *space, uint64_t address);

static inline uint64_t space_offset(const struct space *space, uint64_t address)
{
	if (address - space->biggest_start < space->biggest_size)
		return (address - space->biggest_delta) << space->packed;
	return space_offset_anywhere(space, address);
}

struct space_hit {
	uint32_t rank;     /* RANK_NONE: no block there */
	uint64_t distance; /* from the block's start */
};
struct space_hit space_find(const struct space *space, uint64_t offset);

/* Address and usable bytes of a block. */
void space_block(const struct space *space, uint32_t rank, uint64_t *address,
		 uint64_t *size);
/* The same of one that was found at an offset, without a search. */
void space_block_found(const struct space *space, uint64_t offset,
		       const struct space_hit *hit, uint64_t *address, uint64_t *size);

/* Brings near what space_find() will look at. */
static inline void space_prefetch(const struct space *space, uint64_t offset)
{
	if (offset < space->grouped_size)
		__builtin_prefetch(&space_groups(space)[offset / GROUP_BYTES]);
}

struct space_place {
	uint64_t address, size; /* as of space_block() */
};

/* The places of up to `nr` blocks from that rank on; gives how many there are. */
size_t space_read(const struct space *space, uint32_t rank, struct space_place *places,
		  size_t nr);

/* The block that begins at the address, RANK_NONE: none does; and the first that begins there
   or later, nr_blocks: none does. */
uint32_t space_at(const struct space *space, uint64_t address);
uint32_t space_from(const struct space *space, uint64_t address);

/* Calls back for every block in order of rank. */
typedef void space_visit(void *context, uint32_t rank, uint64_t address, uint64_t size);
void space_each(const struct space *space, space_visit *visit, void *context);

#endif
