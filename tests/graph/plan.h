/*
 * plan: a graph that a test asks for, made by the real builder: blocks are laid out in memory
 * one after another, an edge is a word in one of them, and the builder reads that memory in
 * windows as it would a heap's.
 *
 * A zeroed struct is an empty plan. Mistakes of the test end the program.
 */
#ifndef SEEP_TESTS_PLAN_H
#define SEEP_TESTS_PLAN_H

#include "graph/graph.h"

#define PLAN_ROOT UINT32_MAX /* an edge from outside the blocks */

enum plan_flags {
	PLAN_FREE = 1 << 0,     /* a free chunk: not a block of the graph */
	PLAN_MAPPED = 1 << 1,   /* a span of its own */
	PLAN_NEW_SPAN = 1 << 2, /* the first of a further span */
};

struct plan_block {
	uint64_t size; /* usable; 24 and a multiple of 16, any multiple of 16 if mapped */
	unsigned flags;
	unsigned hints;     /* bits of enum graph_hint */
	uint64_t subobject; /* where a second vtable pointer stands; 0: nowhere */
	/* Set by plan_build: */
	uint64_t address;
	uint32_t rank; /* RANK_NONE: a free chunk */
};
DEFINE_VEC(plan_block_vec, struct plan_block);

/* Blocks are named by their place in the plan. */
struct plan_edge {
	uint32_t from, to;
	uint64_t distance; /* from the start of `to` */
};
DEFINE_VEC(plan_edge_vec, struct plan_edge);

struct plan {
	struct plan_block_vec blocks;
	struct plan_edge_vec edges;
	size_t window_bytes; /* 0: as the heap's walker reads; else a multiple of 16 */
	unsigned nr_threads; /* to finish the graph with; 0: one */
	bool places;         /* kept with the graph */
};

/* Gives the block's place. */
uint32_t plan_block(struct plan *plan, struct plan_block block);
void plan_edge(struct plan *plan, uint32_t from, uint32_t to, uint64_t distance);
void plan_deinit(struct plan *plan);

/* The caller ends the graph. */
void plan_build(struct plan *plan, struct graph *graph);

#endif
