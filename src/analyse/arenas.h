/*
 * arenas: which of the allocator's arenas each block of a look is from, by its address.
 */
#ifndef SEEP_ANALYSE_ARENAS_H
#define SEEP_ANALYSE_ARENAS_H

#include "heap/heap.h"

struct arena_span {
	uint64_t start, end;
	uint32_t arena; /* number; ARENA_NONE: the chunk was mapped alone */
};
DEFINE_VEC(arena_span_vec, struct arena_span);
DEFINE_VEC(arena_vec, char *);

#define ARENA_NONE UINT32_MAX

struct arenas {
	struct arena_vec names;      /* "main arena", by number; owned */
	struct arena_span_vec spans; /* ascending; what is in none is not known */
};

/* What the walker has found; nothing if the allocator's arenas are not known. */
struct error *arenas_take(const struct heap *heap, struct arenas *arenas) MUST_CHECK;
/* Takes the name over, also when it fails. */
struct error *arenas_add(struct arenas *arenas, char *name) MUST_CHECK;
void arenas_deinit(struct arenas *arenas);

/* NULL: it is not known. */
const struct arena_span *arenas_at(const struct arenas *arenas, uint64_t address);

#endif
