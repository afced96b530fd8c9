/*
 * window_walk: what walks have in common that go through the spans window by window: the chunks
 * of each are kept by its slot, and go to the visitor with its words.
 */
#ifndef SEEP_HEAP_WINDOW_WALK_H
#define SEEP_HEAP_WINDOW_WALK_H

#include "heap/stream.h"

DEFINE_VEC(chunk_vec, struct heap_chunk);

static inline struct error *chunk_vec_add(struct chunk_vec *chunks, uint64_t address,
					  uint64_t size, enum chunk_state state)
{
	struct heap_chunk chunk = { .address = address, .size = size, .state = state };
	return chunk_vec_push(chunks, chunk) ? NULL : error_no_memory();
}

/* Embedded, as the first, in what a walk knows; its parser.parse() fills the chunks. */
struct window_walk {
	struct stream_parser parser; /* first: the stream calls back with it */
	struct heap *heap;
	struct heap_visitor *visitor;
	struct chunk_vec slots[HEAP_SLOTS]; /* chunks by the window's slot */
};

/* For parser.parse(): where the window's chunks go, emptied. */
struct chunk_vec *window_walk_chunks(struct window_walk *walk,
				     const struct stream_window *window);

/* Goes through all spans of the heap. */
struct error *window_walk_run(struct window_walk *walk) MUST_CHECK;

#endif
