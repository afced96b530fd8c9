/* arenas: see arenas.h. */
#include "analyse/arenas.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"

struct error *arenas_add(struct arenas *arenas, char *name)
{
	if (name && arena_vec_push(&arenas->names, name))
		return NULL;
	free(name);
	return error_no_memory();
}

static char *name_of(const struct heap_arena *arena)
{
	struct str name = { 0 };
	if (arena->is_main)
		str_puts(&name, "main arena");
	else
		str_printf(&name, "arena at 0x%" PRIx64, arena->address);
	return str_take(&name);
}

struct error *arenas_take(const struct heap *heap, struct arenas *arenas)
{
	struct error *error = NULL;
	for (size_t i = 0; !error && i < heap->arenas.nr; i++)
		error = arenas_add(arenas, name_of(&heap->arenas.items[i]));
	for (size_t i = 0; !error && heap->arenas.nr && i < heap->spans.nr; i++) {
		const struct heap_span *span = &heap->spans.items[i];
		const struct arena_span told = {
			.start = span->start,
			.end = span->end,
			.arena = span->single ? ARENA_NONE : span->arena,
		};
		if ((span->single || span->arena < heap->arenas.nr) &&
		    !arena_span_vec_push(&arenas->spans, told))
			error = error_no_memory();
	}
	return error;
}

const struct arena_span *arenas_at(const struct arenas *arenas, uint64_t address)
{
	size_t low = 0, high = arenas->spans.nr;
	while (low < high) {
		size_t middle = (low + high) / 2;
		if (arenas->spans.items[middle].end <= address)
			low = middle + 1;
		else
			high = middle;
	}
	return low < arenas->spans.nr && arenas->spans.items[low].start <= address
		       ? &arenas->spans.items[low]
		       : NULL;
}

void arenas_deinit(struct arenas *arenas)
{
	for (size_t i = 0; i < arenas->names.nr; i++)
		free(arenas->names.items[i]);
	arena_vec_deinit(&arenas->names);
	arena_span_vec_deinit(&arenas->spans);
}
