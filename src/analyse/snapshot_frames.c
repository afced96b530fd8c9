/* snapshot_frames: the calls that threads were in, as a snapshot has them. */
#include "analyse/snapshot_priv.h"

static struct error *flush(struct snap_writer *writer, struct pack *payload)
{
	return snap_writer_chunk(writer, SNAP_FRAMES, CHUNK_VERSION, payload);
}

static void pack_part(struct pack *payload, const struct look *look,
		      const struct frame_part *part, const struct frame_part *before)
{
	const struct frame_code *code = &look->frames.codes.items[part->code];
	const bool is_again = before && before->code == part->code;
	pack_difference(payload, part->start, before ? before->end : 0);
	pack_number(payload, part->end - part->start);
	pack_number(payload, (uint64_t)part->tid);
	pack_number(payload, is_again);
	if (is_again)
		return;
	pack_text(payload, code->module);
	pack_text(payload, code->function);
	pack_number(payload, code->offset);
}

struct error *snapshot_save_frames(const struct look *look, struct snap_writer *writer)
{
	const struct frame_part_vec *parts = &look->frames.parts;
	const struct frame_part *before = NULL;
	struct pack payload = { 0 };
	struct error *error = NULL;
	for (size_t i = 0; !error && i < parts->nr; i++) {
		pack_part(&payload, look, &parts->items[i], before);
		before = &parts->items[i];
		if (payload.size < FLUSH_BYTES)
			continue;
		error = flush(writer, &payload);
		before = NULL;
	}
	if (!error && payload.size)
		error = flush(writer, &payload);
	pack_deinit(&payload);
	return error;
}

/* The code of a part. */
static struct error *load_code(struct loader *loader, struct unpack *payload,
			       uint32_t *number)
{
	char *module = unpack_text(payload), *function = unpack_text(payload);
	const struct symbol_name name = {
		.module = module,
		.function = function,
		.offset = unpack_number(payload),
	};
	struct error *error =
		payload->bad ? loader_nonsense(loader, "holds a frame that cannot be")
			     : frame_table_code(&loader->look->frames, &name, number);
	free(module);
	free(function);
	return error;
}

struct error *snapshot_load_frames(struct loader *loader, struct unpack *payload)
{
	struct frame_part part = { 0 };
	bool is_first = true;
	struct error *error = NULL;
	while (!error && payload->at < payload->end) {
		part.start = unpack_difference(payload, part.end);
		uint64_t size = unpack_number(payload);
		uint64_t tid = unpack_number(payload);
		uint64_t is_again = unpack_number(payload);
		if (payload->bad || !size || part.start + size < part.start ||
		    tid > INT32_MAX || is_again > !is_first)
			return loader_nonsense(loader, "holds a frame that cannot be");
		part.end = part.start + size;
		part.tid = (pid_t)tid;
		if (!is_again)
			error = load_code(loader, payload, &part.code);
		if (!error)
			error = frame_table_add(&loader->look->frames, &part);
		is_first = false;
	}
	frame_table_sort(&loader->look->frames);
	return error;
}
