/* lib/heap_export: seep_heap_export() of seep/heap.h: what the analysis knows, as the writers want it. */
#include <stdlib.h>

#include "lib/heap_request.h"
#include "report/heap_export.h"
#include "seep/heap.h"
#include "views/heap_parts.h"

struct exporting {
	enum seep_heap_format format;
	unsigned depth;
	struct error *(*put)(void *context, const char *text, size_t size);
	void *context;
};

static struct error *put_text(void *context, struct str *text)
{
	const struct exporting *exporting = context;
	struct error *error = text->failed ? error_no_memory()
					   : exporting->put(exporting->context,
							    str_text(text), text->length);
	text->length = 0;
	return error;
}

static size_t field_at(const void *context, uint32_t rank, uint64_t offset)
{
	const struct heap_parts *parts = context;
	return fields_number(parts->fields, natures_get(parts->natures, rank), offset);
}

static const char **list_fields(const struct fields *fields)
{
	const char **names = calloc(fields_nr(fields) + 1, sizeof(*names));
	for (size_t i = 0; names && i < fields->layouts.nr; i++) {
		const struct layout *layout = &fields->layouts.items[i];
		for (size_t k = 0; k < layout->fields.nr; k++)
			names[layout->first + k] = layout->fields.items[k].name;
	}
	return names;
}

static struct error *write_parts(void *context, const struct heap_parts *parts)
{
	struct exporting *exporting = context;
	const struct heap_export_sink sink = { put_text, exporting };
	const char **fields = list_fields(parts->fields);
	const struct heap_export heap = {
		.target = parts->target,
		.graph = parts->graph,
		.entries = parts->entries,
		.live = parts->live,
		.retained = parts->dominators->retained.memory,
		.types = parts->types,
		.type_names = (const char *const *)parts->type_names,
		.nr_types = parts->nr_types,
		.group_names = (const char *const *)parts->group_names,
		.field_names = fields,
		.nr_fields = fields_nr(parts->fields),
		.field_at = field_at,
		.context = parts,
		.rank = parts->rank,
		.depth = exporting->depth,
	};
	struct error *error = !fields ? error_no_memory()
			      : exporting->format == SEEP_HEAP_DOT
				      ? heap_export_dot(&heap, &sink)
				      : heap_export_snapshot(&heap, &sink);
	free(fields);
	return error;
}

struct error *seep_heap_export(const struct seep_heap_options *options,
			       enum seep_heap_format format, unsigned depth,
			       struct error *(*put)(void *context, const char *text,
						    size_t size),
			       void *context)
{
	struct exporting exporting = { format, depth, put, context };
	struct analyse_heap_options wanted;
	struct source_trace trace;
	struct error *error = heap_request(options, false, &wanted, &trace);
	if (!error && (format == SEEP_HEAP_DOT) != (wanted.asked != NULL))
		error = error_create(ERROR_USAGE,
				     "seep_heap_export: a block is asked for by "
				     "SEEP_HEAP_DOT, and by no other");
	return error ? error : analyse_heap_parts(&wanted, write_parts, &exporting);
}
