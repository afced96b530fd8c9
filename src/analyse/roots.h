/*
 * roots: feeds every word outside the heap that may point into it to a graph builder.
 */
#ifndef SEEP_ANALYSE_ROOTS_H
#define SEEP_ANALYSE_ROOTS_H

#include "graph/builder.h"
#include "heap/heap.h"
#include "target/target.h"

/* The target is frozen, the heap walked, builder_blocks_done() called. Adds what is swapped
   out to *unread_bytes. */
struct error *roots_collect(struct target *target, const struct heap *heap,
			    struct builder *builder, uint64_t *unread_bytes) MUST_CHECK;

#endif
