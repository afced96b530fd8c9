/* snapshot_fields: fields of types as a chunk: for each layout the difference of its code to the one before, its
   stride, how many fields; for each of these the difference of its offset to the end of the one before, its size, how
   many, 1 for pointers, its name. */
#include "analyse/snapshot_priv.h"

#include <stdlib.h>

static void pack_layout(struct pack *payload, const struct layout *layout,
			uint16_t before)
{
	uint64_t end = 0;
	pack_number(payload, (uint64_t)(layout->code - before));
	pack_number(payload, layout->stride);
	pack_number(payload, layout->fields.nr);
	for (size_t i = 0; i < layout->fields.nr; i++) {
		const struct field *field = &layout->fields.items[i];
		pack_number(payload, field->offset - end);
		pack_number(payload, field->size);
		pack_number(payload, field->count);
		pack_number(payload, field->is_pointer);
		pack_text(payload, field->name);
		end = field->offset + field->size * field->count;
	}
}

struct error *snapshot_save_fields(const struct look *look, struct snap_writer *writer)
{
	const struct layout_vec *layouts = &look->fields.layouts;
	struct pack payload = { 0 };
	struct error *error = NULL;
	uint16_t before = 0;
	for (size_t i = 0; !error && i < layouts->nr; i++) {
		pack_layout(&payload, &layouts->items[i], before);
		before = layouts->items[i].code;
		if (payload.size < FLUSH_BYTES && i + 1 < layouts->nr)
			continue;
		error = snap_writer_chunk(writer, SNAP_FIELDS, CHUNK_VERSION, &payload);
		before = 0;
	}
	pack_deinit(&payload);
	return error;
}

/* False: it makes no sense, or memory ran out. */
static bool unpack_field(struct unpack *payload, uint64_t *end, struct field_vec *fields)
{
	struct field field = { .offset = *end + unpack_number(payload) };
	field.size = unpack_number(payload);
	field.count = unpack_number(payload);
	field.is_pointer = unpack_number(payload) == 1;
	field.name = unpack_text(payload);
	if (!payload->bad && field.name && field.offset >= *end &&
	    field.offset < FIELD_END_MAX && field.size && field.count &&
	    field.count <= FIELD_END_MAX / field.size && field_vec_push(fields, field)) {
		*end = field.offset + field.size * field.count;
		return true;
	}
	free(field.name);
	return false;
}

static bool unpack_layout(struct unpack *payload, uint16_t before, struct layout *layout)
{
	uint64_t code = before + unpack_number(payload), end = 0;
	layout->stride = unpack_number(payload);
	uint64_t nr = unpack_number(payload);
	layout->code = (uint16_t)code;
	bool good = !payload->bad && code >= NATURE_OBJECT && code <= UINT16_MAX &&
		    nr <= FIELDS_MAX;
	for (uint64_t i = 0; good && i < nr; i++)
		good = unpack_field(payload, &end, &layout->fields);
	return good;
}

struct error *snapshot_load_fields(struct loader *loader, struct unpack *payload)
{
	struct fields *fields = &loader->look->fields;
	uint16_t before = 0;
	while (payload->at < payload->end) {
		const struct layout_vec *layouts = &fields->layouts;
		struct layout layout = { 0 };
		bool good = unpack_layout(payload, before, &layout);
		if (!good || (layouts->nr &&
			      layouts->items[layouts->nr - 1].code >= layout.code)) {
			layout_deinit(&layout);
			return loader_nonsense(loader, "holds a field that cannot be");
		}
		before = layout.code;
		struct error *error = fields_add(fields, &layout);
		if (error)
			return error;
	}
	return NULL;
}
