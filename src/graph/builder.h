/*
 * builder: makes a graph from the contents of a heap, streamed once in ascending order.
 *
 *	builder_init
 *	builder_add_span …, builder_ready
 *	for each window:  builder_window, then builder_block / builder_gap for each chunk that
 *	                  begins in it, then builder_window_end
 *	builder_blocks_done           now every block is known
 *	builder_root, builder_roots   words outside the blocks
 *	builder_finish                gives the graph
 *
 * While streaming, a word that may point into the heap is kept as five bytes: its offset in
 * the space. builder_finish turns each into an edge, in place, with `nr_threads` threads.
 */
#ifndef SEEP_GRAPH_BUILDER_H
#define SEEP_GRAPH_BUILDER_H

#include "graph/graph.h"
#include "graph/scan.h"

DEFINE_VEC(graph_word_vec, uint64_t);

/* An interior place of a block where a second vtable pointer stands. */
struct builder_subobject {
	uint32_t rank;
	uint32_t distance;
};
DEFINE_VEC(builder_subobject_vec, struct builder_subobject);

struct builder {
	struct graph graph;
	struct scan_ranges ranges;
	struct area
		high; /* uint8_t[nr_edges]: bits 32… of the offsets; edges hold the rest */
	struct area hints[HINT_NR];              /* bitmaps by rank */
	struct builder_subobject_vec subobjects; /* ascending */
	struct area seen
		[3]; /* bitmaps by rank: roots of each class that are listed already */
	struct graph_root_vec
		pending; /* roots met before all blocks were known; edge: index
					  into pending_words */
	struct graph_word_vec pending_words;
	/* The current window. */
	uint64_t window, window_end;
	struct area indices, values;
	size_t nr_found, at;
	/* What the words at `at` belong to. */
	enum { BUILDER_GAP, BUILDER_BLOCK, BUILDER_ROOT } mode;
	uint32_t root_source;
	uint64_t block, block_end; /* addresses */
	uint64_t first_edge;
};

void builder_init(struct builder *builder);
void builder_deinit(struct builder *builder);

struct error *builder_add_span(struct builder *builder, uint64_t start, uint64_t end,
			       bool single) MUST_CHECK;
struct error *builder_ready(struct builder *builder) MUST_CHECK;

/* `words` may be NULL: nothing but zeros. */
struct error *builder_window(struct builder *builder, uint64_t address,
			     const uint64_t *words, size_t nr,
			     size_t nr_chunks) MUST_CHECK;
/* A block of `size` bytes begins at `address`; hints as bits of enum graph_hint. */
struct error *builder_block(struct builder *builder, uint64_t address, uint64_t size,
			    unsigned hints) MUST_CHECK;
/* The block that was begun last has another vtable pointer at this distance. */
struct error *builder_subobject(struct builder *builder, uint64_t distance) MUST_CHECK;
/* From `address` on, up to the next block or gap: free chunks (their words are ignored)… */
struct error *builder_gap(struct builder *builder, uint64_t address) MUST_CHECK;
/* …or bytes that nobody understands (their words are roots). */
struct error *builder_unknown(struct builder *builder, uint64_t address,
			      uint32_t source) MUST_CHECK;
struct error *builder_window_end(struct builder *builder) MUST_CHECK;
struct error *builder_blocks_done(struct builder *builder) MUST_CHECK;

/* One word, or `nr` words at an address, outside the blocks. */
struct error *builder_root(struct builder *builder, uint64_t word, uint32_t source,
			   uint64_t where) MUST_CHECK;
struct error *builder_roots(struct builder *builder, const uint64_t *words, size_t nr,
			    uint32_t source, uint64_t where) MUST_CHECK;

/* The same, but a word that is not the start of a block counts for nothing. */
struct error *builder_start_root(struct builder *builder, uint64_t word,
				 uint32_t source) MUST_CHECK;

/* Moves the graph out; the builder can then only be ended. */
struct error *builder_finish(struct builder *builder, unsigned nr_threads,
			     struct graph *graph) MUST_CHECK;

/* The rank of the block begun last. */
static inline uint32_t builder_rank(const struct builder *builder)
{
	return (uint32_t)builder->graph.space.nr_blocks - 1;
}

#endif
