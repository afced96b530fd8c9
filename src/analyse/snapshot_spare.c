/* snapshot_spare: what containers keep for elements that they do not have, as a chunk: for each block of which
   that is anything the difference of its rank to the one after the one before, and the bytes. */
#include "analyse/snapshot_priv.h"

struct error *snapshot_save_spare(const struct look *look, struct snap_writer *writer)
{
	const uint64_t nr = look->graph.nr_blocks;
	struct pack payload = { 0 };
	struct error *error = NULL;
	uint64_t next = 0;
	if (!look->typing.spare.memory)
		return NULL;
	for (uint64_t rank = 0; !error && rank < nr; rank++) {
		const uint32_t bytes = typing_spare(&look->typing, (uint32_t)rank);
		if (!bytes)
			continue;
		pack_number(&payload, rank - next);
		pack_number(&payload, bytes);
		next = rank + 1;
		if (payload.size < FLUSH_BYTES)
			continue;
		error = snap_writer_chunk(writer, SNAP_SPARE, CHUNK_VERSION, &payload);
		next = 0;
	}
	/* Also where it is nothing: that is known then. */
	if (!error)
		error = snap_writer_chunk(writer, SNAP_SPARE, CHUNK_VERSION, &payload);
	pack_deinit(&payload);
	return error;
}

struct error *snapshot_load_spare(struct loader *loader, struct unpack *payload)
{
	/* Those that the file has: one that was cut short may tell of more. */
	const uint64_t nr = loader->rebuild.nr_announced;
	struct area *spare = &loader->look->typing.spare;
	uint64_t next = 0;
	if (!area_reserve(spare, (nr + 1) * sizeof(uint32_t)))
		return error_no_memory();
	while (payload->at < payload->end) {
		const uint64_t rank = next + unpack_number(payload);
		const uint64_t bytes = unpack_number(payload);
		if (payload->bad || rank < next || rank >= loader->meta.nr_blocks ||
		    bytes > UINT32_MAX)
			return loader_nonsense(loader,
					       "holds what no container can keep");
		if (rank < nr)
			((uint32_t *)spare->memory)[rank] = (uint32_t)bytes;
		next = rank + 1;
	}
	return NULL;
}
