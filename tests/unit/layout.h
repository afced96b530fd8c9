/*
 * layout: heaps drawn at random: spans of chunks as glibc and its threads make them, and
 * which block an address belongs to, found by looking at every chunk.
 */
#ifndef SEEP_TESTS_LAYOUT_H
#define SEEP_TESTS_LAYOUT_H

#include "graph/builder.h"

#define LAYOUT_HEADER 16u

/* A chunk's bytes go from its header to the header of the next. */
struct layout_chunk {
	struct builder_chunk chunk;
	uint32_t rank; /* RANK_NONE: no block */
};
DEFINE_VEC(layout_chunk_vec, struct layout_chunk);

struct layout_span {
	uint64_t start, end;
	bool single;
	size_t first, nr; /* chunks; the last of a span with any is no block */
};
DEFINE_VEC(layout_span_vec, struct layout_span);

struct layout {
	uint64_t seed;
	struct layout_span_vec spans;
	struct layout_chunk_vec chunks;
	uint32_t nr_blocks;
};

enum layout_flags {
	LAYOUT_HUGE = 1 << 0,    /* mapped chunks of gigabytes, and chunks as long */
	LAYOUT_UNKNOWN = 1 << 1, /* parts that do not parse */
};

struct layout layout_draw(uint64_t seed, unsigned flags);
void layout_deinit(struct layout *layout);
uint64_t layout_random(struct layout *layout, uint64_t limit);

/* An address that is worth asking for: in, at, or near something. */
uint64_t layout_address(struct layout *layout);
struct space_hit layout_find(const struct layout *layout, uint64_t address);

#endif
