/*
 * look: one look at a target. Freezes it, streams heap and roots into a graph, thaws it.
 */
#ifndef SEEP_ANALYSE_LOOK_H
#define SEEP_ANALYSE_LOOK_H

#include "analyse/nature.h"
#include "graph/graph.h"
#include "heap/heap.h"
#include "target/target.h"

/* What kind of place a root is (graph_root.source). */
enum root_source {
	ROOT_GLOBAL, /* initialised or zero data of a module */
	ROOT_STACK,
	ROOT_REGISTER,
	ROOT_MAPPING,    /* memory that nobody is known to manage; TLS is here too */
	ROOT_KERNEL,     /* epoll data, timers */
	ROOT_ALLOCATOR,  /* in the hands of malloc or free at that instant */
	ROOT_UNREADABLE, /* a part of the heap that does not parse */
	/* Sources of stale pointers: */
	STALE_FREED, /* a freed block */
	STALE_STACK, /* below the stack pointer */
};

struct look {
	struct graph graph;
	struct natures *natures;
	uint64_t pause_ns;
	uint64_t nr_threads;
	uint64_t unread_bytes; /* of roots: swapped out */
	bool inside;           /* a thread was inside the allocator */
	struct heap_totals totals;
};

/*
 * ERROR_BUSY: nothing was learned, another look may do better. With `classify` the nature
 * of every block is told from its words as they pass, and Memcheck's heuristics find what
 * they need; without, look_classify() can do it later for blocks that nobody changes.
 */
struct error *look_take(struct target *target, struct heap *heap, bool classify,
			struct look *look) MUST_CHECK;

/* Reads the first words of these blocks (ascending ranks) from the running target. */
struct error *look_classify(struct look *look, struct target *target,
			    const uint32_t *ranks, uint32_t nr) MUST_CHECK;
/* How many threads work on a graph. */
unsigned look_nr_threads(void);
void look_deinit(struct look *look);

#endif
