/* fields: see fields.h. */
#include "analyse/fields.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* Records in each other. */
#define DEPTH_MAX 16u
/* So many records of an array in a record are told one by one. */
#define ELEMENTS_MAX 8u

/* --- one type --------------------------------------------------------------------------- */

struct flattener {
	struct types *types;
	struct layout *layout;
	bool out_of_memory;
};

static bool is_leaf(enum type_kind kind)
{
	return kind == TYPE_SCALAR || kind == TYPE_POINTER || kind == TYPE_UNION;
}

/* What the C++ library calls its parts is not the program's to know: "other._M_refcount._M_pi" is "other". */
static size_t told_length(const char *name)
{
	static const char *const inner[] = { "._M_", ".__" };
	size_t length = strlen(name);
	for (size_t i = 0; i < ARRAY_SIZE(inner); i++) {
		const char *at = strstr(name, inner[i]);
		if (at && (size_t)(at - name) < length)
			length = (size_t)(at - name);
	}
	return length;
}

/* What stands behind the last one; others are told already: bit-fields share words, unions bytes. */
static void add(struct flattener *flattener, const char *name, const struct field *field)
{
	struct field_vec *fields = &flattener->layout->fields;
	const struct field *last = fields->nr ? &fields->items[fields->nr - 1] : NULL;
	if (!*name || !field->size || !field->count || fields->nr >= FIELDS_MAX ||
	    field->offset > FIELD_END_MAX / 2 || field->size > FIELD_END_MAX / 4 ||
	    field->count > FIELD_END_MAX / 4 / field->size ||
	    (last && field->offset < last->offset + last->size * last->count))
		return;
	struct field copy = *field;
	copy.name = strndup(name, told_length(name));
	if (copy.name && field_vec_push(fields, copy))
		return;
	free(copy.name);
	flattener->out_of_memory = true;
}

static void flatten(struct flattener *flattener, uint32_t number, uint64_t offset,
		    const char *name, unsigned depth);

static void flatten_array(struct flattener *flattener, const struct type *array,
			  uint64_t offset, const char *name, unsigned depth)
{
	const struct type element = *types_get(flattener->types, array->target);
	if (is_leaf((enum type_kind)element.kind)) {
		const struct field field = {
			.offset = offset,
			.size = element.size,
			.count = array->count,
			.is_pointer = element.kind == TYPE_POINTER,
		};
		add(flattener, name, &field);
		return;
	}
	for (uint64_t i = 0; i < array->count && i < ELEMENTS_MAX && element.size; i++) {
		struct str text = { 0 };
		str_printf(&text, "%s[%" PRIu64 "]", name, i);
		flattener->out_of_memory |= text.failed;
		flatten(flattener, array->target, offset + i * element.size,
			str_text(&text), depth + 1);
		str_deinit(&text);
	}
}

static void flatten_member(struct flattener *flattener, const struct type_member *member,
			   uint64_t offset, const char *name, unsigned depth)
{
	struct str text = { 0 };
	str_puts(&text, name);
	if (member->name && *member->name)
		str_printf(&text, "%s%s", *name ? "." : "", member->name);
	flattener->out_of_memory |= text.failed;
	if (member->type != TYPE_NONE)
		flatten(flattener, member->type, offset + member->offset, str_text(&text),
			depth + 1);
	str_deinit(&text);
}

/* What is shared stands in the block of its counts, in bytes of no type. */
static void flatten_shared(struct flattener *flattener, uint32_t type, uint64_t offset,
			   const char *name, unsigned depth)
{
	uint32_t value = types_argument(flattener->types, type, 0);
	struct type_member storage;
	if (value != TYPE_NONE &&
	    types_find(flattener->types, type, "_M_storage", &storage))
		flatten(flattener, value, offset + storage.offset, name, depth + 1);
}

static void flatten_record(struct flattener *flattener, uint32_t number, uint64_t offset,
			   const char *name, unsigned depth)
{
	const struct type record = *types_get(flattener->types, number);
	bool is_shared = record.container == CONTAINER_SHARED;
	for (uint32_t i = 0; i < record.nr_members; i++) {
		/* Types may move when another is asked for. */
		const struct type_member member =
			types_members(flattener->types, number)[i];
		if (member.is_base || !is_shared)
			flatten_member(flattener, &member, offset, name, depth);
	}
	if (is_shared)
		flatten_shared(flattener, number, offset, name, depth);
}

static void flatten(struct flattener *flattener, uint32_t number, uint64_t offset,
		    const char *name, unsigned depth)
{
	const struct type type = *types_get(flattener->types, number);
	if (depth > DEPTH_MAX || flattener->out_of_memory ||
	    flattener->layout->fields.nr >= FIELDS_MAX || offset > FIELD_END_MAX / 2)
		return;
	if (is_leaf((enum type_kind)type.kind)) {
		const struct field field = {
			.offset = offset,
			.size = type.size,
			.count = 1,
			.is_pointer = type.kind == TYPE_POINTER,
		};
		add(flattener, name, &field);
	} else if (type.kind == TYPE_ARRAY) {
		flatten_array(flattener, &type, offset, name, depth);
	} else if (type.kind == TYPE_RECORD) {
		flatten_record(flattener, number, offset, name, depth);
	}
}

/* --- all types ------------------------------------------------------------------------------ */

/* What blocks of one code are. */
struct kind {
	uint32_t type; /* TYPE_NONE: no block yet */
	bool is_array, differs;
};

static void note_kinds(const struct typing *typing, const struct natures *natures,
		       struct kind *kinds)
{
	for (uint64_t rank = 0; rank < typing->nr_blocks; rank++) {
		struct typing_answer answer = typing_answer(typing, (uint32_t)rank);
		struct kind *kind = &kinds[natures_get(natures, (uint32_t)rank)];
		if (kind->differs)
			continue;
		kind->differs =
			answer.has_cookie ||
			(kind->type != TYPE_NONE && (kind->type != answer.type ||
						     kind->is_array != answer.is_array));
		kind->type = answer.type;
		kind->is_array = answer.is_array;
	}
}

static struct error *add_kind(struct types *types, uint16_t code, const struct kind *kind,
			      struct fields *fields)
{
	struct layout layout = { .code = code };
	struct flattener flattener = { .types = types, .layout = &layout };
	if (kind->is_array)
		layout.stride = types_get(types, kind->type)->size;
	flatten(&flattener, kind->type, 0, "", 0);
	if (!flattener.out_of_memory && layout.fields.nr &&
	    (layout.stride || !kind->is_array))
		return fields_add(fields, &layout);
	layout_deinit(&layout);
	return flattener.out_of_memory ? error_no_memory() : NULL;
}

struct error *fields_make(const struct typing *typing, struct types *types,
			  const struct natures *natures, struct fields *fields)
{
	struct kind *kinds = calloc(UINT16_MAX + 1, sizeof(*kinds));
	struct error *error = NULL;
	*fields = (struct fields){ 0 };
	if (!kinds)
		return error_no_memory();
	note_kinds(typing, natures, kinds);
	for (uint32_t code = NATURE_OBJECT; !error && code <= UINT16_MAX; code++)
		if (kinds[code].type != TYPE_NONE && !kinds[code].differs)
			error = add_kind(types, (uint16_t)code, &kinds[code], fields);
	free(kinds);
	if (error)
		fields_deinit(fields);
	return error;
}

struct error *fields_add(struct fields *fields, struct layout *layout)
{
	layout->first = fields_nr(fields);
	if (layout_vec_push(&fields->layouts, *layout)) {
		*layout = (struct layout){ 0 };
		return NULL;
	}
	layout_deinit(layout);
	return error_no_memory();
}

void layout_deinit(struct layout *layout)
{
	for (size_t i = 0; i < layout->fields.nr; i++)
		free(layout->fields.items[i].name);
	field_vec_deinit(&layout->fields);
}

void fields_deinit(struct fields *fields)
{
	for (size_t i = 0; i < fields->layouts.nr; i++)
		layout_deinit(&fields->layouts.items[i]);
	layout_vec_deinit(&fields->layouts);
	*fields = (struct fields){ 0 };
}

/* --- questions ----------------------------------------------------------------------------- */

static const struct layout *layout_of(const struct fields *fields, uint16_t code)
{
	size_t low = 0, high = fields->layouts.nr;
	while (low < high) {
		size_t middle = (low + high) / 2;
		if (fields->layouts.items[middle].code < code)
			low = middle + 1;
		else
			high = middle;
	}
	return low < fields->layouts.nr && fields->layouts.items[low].code == code
		       ? &fields->layouts.items[low]
		       : NULL;
}

/* The field that an offset is in, which becomes one from the field's start. */
static const struct field *field_at(const struct layout *layout, uint64_t *offset)
{
	if (!layout)
		return NULL;
	*offset = layout->stride ? *offset % layout->stride : *offset;
	size_t low = 0, high = layout->fields.nr;
	while (low < high) {
		size_t middle = (low + high) / 2;
		if (layout->fields.items[middle].offset <= *offset)
			low = middle + 1;
		else
			high = middle;
	}
	const struct field *field = low ? &layout->fields.items[low - 1] : NULL;
	if (!field || *offset - field->offset >= field->size * field->count)
		return NULL;
	*offset -= field->offset;
	return field;
}

bool fields_put(const struct fields *fields, uint16_t code, uint64_t offset,
		struct str *out)
{
	const struct field *field = field_at(layout_of(fields, code), &offset);
	if (!field)
		return false;
	str_printf(out, ".%s", field->name);
	if (field->count > 1)
		str_printf(out, "[%" PRIu64 "]", offset / field->size);
	return true;
}

size_t fields_number(const struct fields *fields, uint16_t code, uint64_t offset)
{
	const struct layout *layout = layout_of(fields, code);
	const struct field *field = field_at(layout, &offset);
	return field ? layout->first + (size_t)(field - layout->fields.items) : SIZE_MAX;
}

size_t fields_nr(const struct fields *fields)
{
	size_t nr = fields->layouts.nr;
	if (!nr)
		return 0;
	const struct layout *last = &fields->layouts.items[nr - 1];
	return last->first + last->fields.nr;
}

bool fields_has_pointer(const struct fields *fields, uint16_t code, uint64_t offset)
{
	const struct field *field = field_at(layout_of(fields, code), &offset);
	return field && field->is_pointer && offset % field->size == 0;
}
