/*
 * graph: the blocks of a heap and the pointers between them, compact enough to keep for ten
 * million blocks and more.
 *
 * Blocks are numbered by rank (space.h). The edges of a block stand next to each other in
 * order of the source's rank: a compressed sparse row with one byte of degree per block.
 * An edge is 32 bits: the target's rank and what the pointer is. Roots are a list of edges
 * with the place that holds each. Where in its block an edge stands, and where interior ones lead,
 * is kept for whoever asks for it (struct graph_places), with all roots instead of one per block.
 *
 * Built by builder.h; immutable afterwards.
 */
#ifndef SEEP_GRAPH_GRAPH_H
#define SEEP_GRAPH_GRAPH_H

#include <assert.h>

#include "graph/space.h"

enum edge_class {
	EDGE_START,    /* to the start of the block */
	EDGE_PROMOTED, /* interior, but a heuristic says that it stands for the start */
	EDGE_INTERIOR,
};

#define EDGE_NONE UINT32_MAX /* a word that turned out not to point to a block */

static inline uint32_t edge_make(uint32_t rank, enum edge_class class)
{
	return rank << 2 | class;
}

static inline uint32_t edge_rank(uint32_t edge)
{
	return edge >> 2;
}

static inline enum edge_class edge_class(uint32_t edge)
{
	return (enum edge_class)(edge & 3);
}

/* Heuristics for interior pointers, by Memcheck's names. */
enum graph_hint {
	HINT_STDSTRING, /* the pointer is to the text behind an old std::string's counters */
	HINT_LENGTH_WORD, /* the block begins with a count: new[] and length-prefixed memory */
	HINT_NR,
};

/* Blocks of this many edges and more have their degree in `large`. */
#define DEGREE_LARGE 127u
/* The top bit of a degree is free for whoever copies the rows (reach.c marks with it). */
#define DEGREE_MASK 127u
/* So many blocks share a row: as many as fill a cache line. */
#define ROW_BLOCKS 56u

/* Where the edges of a few neighbouring blocks stand: those of the first from `base` on,
   then those of the next, and so on. One cache line tells it for any of them. */
struct graph_row {
	uint64_t base;
	uint8_t degrees[ROW_BLOCKS];
};
static_assert(sizeof(struct graph_row) == 64, "a row is a cache line");

/* So many edges past the end of a run may be read, whatever they say. */
#define EDGES_PAD 4u

#define STALE_MAX 500000u

struct graph_large {
	uint32_t rank;
	uint64_t degree;
};
DEFINE_VEC(graph_large_vec, struct graph_large);

struct graph_root {
	uint32_t edge;
	uint32_t source; /* the caller's number for what kind of place it is */
	uint64_t where;  /* address of the word; 0: a register or the kernel */
};
DEFINE_VEC(graph_root_vec, struct graph_root);

/* Numbers that do not fit into an edge_place. */
#define PLACE_FAR UINT16_MAX

struct edge_place {
	uint16_t word; /* words after the edge before it; the first: after the start */
	uint16_t distance; /* of where it leads from the start there, in bytes */
};

struct far_place {
	uint64_t edge; /* its index */
	uint64_t number;
};
DEFINE_VEC(far_place_vec, struct far_place);

/* So many roots are kept. */
#define PLACES_ROOTS_MAX (1u << 24)

/* The kind of place of a root among struct graph_places; what is above is the caller's. */
#define ROOT_KIND_BITS 8u
static inline uint32_t graph_root_kind(const struct graph_root *root)
{
	return root->source & ((1u << ROOT_KIND_BITS) - 1);
}

struct graph_places {
	bool roots_are_kept, edges_are_kept;           /* else there are none of these */
	struct area edges;                             /* struct edge_place[nr_edges] */
	struct far_place_vec far_words, far_distances; /* ascending by edge */
	struct graph_root_vec roots; /* every one, also further ones of the same block */
	uint64_t roots_left_out;
};

struct graph {
	struct space space;
	uint64_t nr_blocks, nr_edges; /* nr_edges counts EDGE_NONE too */
	struct area edges;            /* uint32_t[nr_edges + EDGES_PAD] */
	struct area rows;             /* struct graph_row[nr_blocks / ROW_BLOCKS + 1] */
	struct graph_large_vec large; /* ascending by rank */
	struct graph_root_vec roots;  /* each block at most once per edge class */
	/* Pointers to starts in dead memory: they hold nothing, but tell who once did. */
	struct graph_root_vec stale; /* at most STALE_MAX */
	struct graph_places places;
};

void graph_deinit(struct graph *graph);

struct edge_run {
	const uint32_t *edges;
	uint64_t nr;
};

/* The edges of a block, by its row in graph->rows or in a copy of them. */
struct edge_run graph_run(const struct graph *graph, const struct graph_row *row,
			  uint32_t rank);
/* How many edges a block has. */
uint64_t graph_degree(const struct graph *graph, uint32_t rank);
/* The edges of a block. */
const uint32_t *graph_edges(const struct graph *graph, uint32_t rank, uint64_t *nr);
/* Whether one of them leads to a certain one. */
bool graph_points_to(const struct graph *graph, uint32_t from, uint32_t to);

/* An edge with its places. */
struct edge_at {
	uint32_t edge;
	uint64_t index;    /* among all edges */
	uint64_t offset;   /* in its block, in bytes */
	uint64_t distance; /* from the start of the block that it leads to */
};

/* Goes through the edges of a block in order; places are 0 where they are not kept. */
struct edge_walk {
	const struct graph *graph;
	struct edge_run run;
	uint64_t next; /* in the run */
	uint64_t word; /* of the last edge */
};
struct edge_walk graph_walk(const struct graph *graph, uint32_t rank);
/* The next edge that leads to a block; false: there is none. */
bool edge_walk_next(struct edge_walk *walk, struct edge_at *at);

static inline struct graph_row *graph_row(const struct graph *graph, uint32_t rank)
{
	return (struct graph_row *)graph->rows.memory + rank / ROW_BLOCKS;
}

#endif
