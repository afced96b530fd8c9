/* snapshot_arenas: the allocator's arenas as a chunk: how many, their names; then for each span the difference of its
   start to the end of the one before, its size, and 0 for a chunk that was mapped alone, else its arena's number plus
   one. Later chunks have spans alone. */
#include "analyse/snapshot_priv.h"

#include <stdlib.h>

struct error *snapshot_save_arenas(const struct look *look, struct snap_writer *writer)
{
	const struct arenas *arenas = &look->arenas;
	struct pack payload = { 0 };
	struct error *error = NULL;
	uint64_t end = 0;
	if (!arenas->spans.nr)
		return NULL;
	pack_number(&payload, arenas->names.nr);
	for (size_t i = 0; i < arenas->names.nr; i++)
		pack_text(&payload, arenas->names.items[i]);
	for (size_t i = 0; !error && i < arenas->spans.nr; i++) {
		const struct arena_span *span = &arenas->spans.items[i];
		pack_number(&payload, span->start - end);
		pack_number(&payload, span->end - span->start);
		pack_number(&payload, span->arena == ARENA_NONE ? 0 : span->arena + 1);
		end = span->end;
		if (payload.size < FLUSH_BYTES)
			continue;
		error = snap_writer_chunk(writer, SNAP_ARENAS, CHUNK_VERSION, &payload);
		pack_number(&payload, 0);
		end = 0;
	}
	if (!error)
		error = snap_writer_chunk(writer, SNAP_ARENAS, CHUNK_VERSION, &payload);
	pack_deinit(&payload);
	return error;
}

static bool load_span(struct arenas *arenas, uint64_t end, struct unpack *payload)
{
	uint64_t start = end + unpack_number(payload), size = unpack_number(payload);
	uint64_t arena = unpack_number(payload);
	const struct arena_span_vec *spans = &arenas->spans;
	const struct arena_span span = {
		.start = start,
		.end = start + size,
		.arena = arena ? (uint32_t)arena - 1 : ARENA_NONE,
	};
	bool is_next = !spans->nr || spans->items[spans->nr - 1].end <= start;
	return !payload->bad && is_next && start >= end && span.end > start &&
	       arena <= arenas->names.nr && arena_span_vec_push(&arenas->spans, span);
}

struct error *snapshot_load_arenas(struct loader *loader, struct unpack *payload)
{
	struct arenas *arenas = &loader->look->arenas;
	struct error *error = NULL;
	uint64_t nr = unpack_number(payload), end = 0;
	for (uint64_t i = 0; !error && !payload->bad && i < nr; i++) {
		char *name = unpack_text(payload);
		error = name ? arenas_add(arenas, name)
			     : loader_nonsense(loader, "holds an arena without a name");
	}
	while (!error && payload->at < payload->end) {
		if (!load_span(arenas, end, payload))
			return loader_nonsense(loader, "holds a span that cannot be");
		end = arenas->spans.items[arenas->spans.nr - 1].end;
	}
	return error;
}
