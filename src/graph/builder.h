/*
 * builder: makes a graph from the contents of a heap, streamed once in ascending order.
 *
 *	builder_init
 *	builder_add_span …, builder_ready
 *	builder_scan, builder_window  for each window; the latter followed by builder_hint and
 *	                              builder_subobject for the blocks that began in it
 *	builder_blocks_done           now every block is known
 *	builder_root, builder_roots   words outside the blocks
 *	builder_finish                gives the graph
 *
 * While streaming, a word that may point into the heap is kept as four bytes (five when the
 * heap is larger than 4 GiB): its offset in the space. builder_finish turns each into an edge, in
 * place, with `nr_threads` threads. Places of edges are kept if `wants_edge_places` is set, all roots if
 * `wants_roots` is.
 */
#ifndef SEEP_GRAPH_BUILDER_H
#define SEEP_GRAPH_BUILDER_H

#include <assert.h>

#include "graph/graph.h"
#include "graph/scan.h"

DEFINE_VEC(graph_word_vec, uint64_t);

/* What begins at an address and goes on until the next one. */
enum builder_kind {
	BUILDER_GAP,     /* free chunks and the like: its words are stale */
	BUILDER_BLOCK,   /* its words are edges */
	BUILDER_UNKNOWN, /* nobody understands it: its words are roots */
};

struct builder_chunk {
	uint64_t address;
	uint64_t size : 48; /* counts for blocks only */
	enum builder_kind kind : 8;
	uint64_t
		source : 8; /* of the roots in an unknown one, the stale words in a gap */
};
static_assert(sizeof(struct builder_chunk) == 16, "12 million of them pass by");

struct builder_window {
	uint64_t address;
	size_t nr_words;
	unsigned slot; /* where builder_scan() put what it found in its words */
	const struct builder_chunk *chunks; /* that begin in it, ascending */
	size_t nr_chunks;
};

/* An interior place of a block where a second vtable pointer stands. */
struct builder_subobject {
	uint32_t rank;
	uint32_t distance;
};
DEFINE_VEC(builder_subobject_vec, struct builder_subobject);

/* So many windows can be scanned before they are taken in. */
#define BUILDER_SLOTS 4u

/* The words of one window that point into a span. */
struct builder_found {
	struct area indices; /* uint32_t[]: which words; closed by a few of UINT32_MAX */
	struct area offsets; /* uint64_t[]: where they point to in the space */
	size_t nr;
};

struct builder {
	struct graph graph;
	struct scan_ranges ranges;
	/* Offsets of more than 32 bits: edges hold the low ones, `high` the rest. */
	bool wide;
	struct area high;                        /* uint8_t[nr_edges] */
	struct area hints[HINT_NR];              /* bitmaps by rank */
	struct builder_subobject_vec subobjects; /* ascending */
	struct area seen
		[3]; /* bitmaps by rank: roots of each class that are listed already */
	struct graph_root_vec pending; /* roots met before all blocks were known… */
	struct graph_word_vec pending_offsets; /* …and where they point to */
	struct graph_word_vec
		stale_offsets; /* one per graph.stale, until they are resolved */
	struct builder_found found[BUILDER_SLOTS];
	size_t at; /* place in the current window's */
	/* What the words at `at` belong to: the chunk that began last. */
	struct builder_chunk open;
	uint64_t first_edge; /* of that block */
	/* With places: */
	bool wants_edge_places, wants_roots; /* to be set before the first window */
	uint64_t last_word; /* of the open block: where its last edge stands */
};

void builder_init(struct builder *builder);
void builder_deinit(struct builder *builder);

struct error *builder_add_span(struct builder *builder, uint64_t start, uint64_t end,
			       bool single) MUST_CHECK;
struct error *builder_ready(struct builder *builder) MUST_CHECK;

/* Finds the words of a window that are pointers into the spans (NULL: all are zeros). May be called on
   another thread than the rest, ahead of builder_window(), for different slots. */
struct error *builder_scan(struct builder *builder, unsigned slot, const uint64_t *words,
			   size_t nr_words) MUST_CHECK;
struct error *builder_window(struct builder *builder,
			     const struct builder_window *window) MUST_CHECK;

/* What a block among those of the last windows looks like: bits of enum graph_hint. */
struct error *builder_hint(struct builder *builder, uint32_t rank,
			   unsigned hints) MUST_CHECK;
/* It has another vtable pointer at this distance; in ascending order. */
struct error *builder_subobject(struct builder *builder, uint32_t rank,
				uint64_t distance) MUST_CHECK;
struct error *builder_blocks_done(struct builder *builder) MUST_CHECK;

/* One word, or `nr` words at an address, outside the blocks. What `source` has above its
   ROOT_KIND_BITS is kept in the places alone. */
struct error *builder_root(struct builder *builder, uint64_t word, uint32_t source,
			   uint64_t where) MUST_CHECK;
struct error *builder_roots(struct builder *builder, const uint64_t *words, size_t nr,
			    uint32_t source, uint64_t where) MUST_CHECK;

/* The same, but a word that is not the start of a block counts for nothing. */
struct error *builder_start_root(struct builder *builder, uint64_t word,
				 uint32_t source) MUST_CHECK;

/* Words of dead memory: they hold nothing, but are kept as graph.stale. */
struct error *builder_stale(struct builder *builder, const uint64_t *words, size_t nr,
			    uint32_t source, uint64_t where) MUST_CHECK;

/* Moves the graph out; the builder can then only be ended. */
struct error *builder_finish(struct builder *builder, unsigned nr_threads,
			     struct graph *graph) MUST_CHECK;

/* How many blocks there were so far: the rank of the next. */
static inline uint32_t builder_nr_blocks(const struct builder *builder)
{
	return (uint32_t)builder->graph.space.nr_blocks;
}

#endif
