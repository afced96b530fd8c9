/* types: the table of what blocks are. */
#include "query/table.h"

static struct error *seek(struct query_cursor *cursor, const struct query_span *span)
{
	(void)span;
	cursor->end = cursor->heap->types.rows.nr;
	return NULL;
}

static const struct query_type_count *count(const struct query_cursor *cursor)
{
	const struct query_type_count *counts = cursor->heap->type_counts.memory;
	return &counts[cursor->at];
}

static void put_type(struct query_cursor *cursor, sqlite3_context *out)
{
	put_name(out, cursor->heap->type_names.items[cursor->at]);
}

static void put_class(struct query_cursor *cursor, sqlite3_context *out)
{
	const struct block_table *types = &cursor->heap->types;
	put_copy(out, natures_class(types->natures, types->rows.items[cursor->at].code));
}

static void put_blocks(struct query_cursor *cursor, sqlite3_context *out)
{
	put_number(out, count(cursor)->blocks);
}

static void put_size(struct query_cursor *cursor, sqlite3_context *out)
{
	put_number(out, count(cursor)->bytes);
}

static const struct query_field fields[] = {
	{ "type", QUERY_TYPE_TEXT, "as in blocks", NEED_TYPES, put_type },
	{ "class", QUERY_TYPE_TEXT, "name of the class; NULL: not known to be of one",
	  NEED_TYPES, put_class },
	{ "blocks", QUERY_TYPE_INTEGER, "how many there are", NEED_TYPE_COUNTS,
	  put_blocks },
	{ "size", QUERY_TYPE_INTEGER, "usable bytes of all of them", NEED_TYPE_COUNTS,
	  put_size },
};

/* Before they are counted, a guess. */
static uint64_t nr_rows(const struct query_heap *heap)
{
	return heap->known & NEED_TYPES ? heap->types.rows.nr : 100;
}

const struct query_table query_types = {
	.name = "types",
	.help = "what the blocks are",
	.fields = fields,
	.nr_fields = ARRAY_SIZE(fields),
	.cursor_size = sizeof(struct query_cursor),
	.needs = NEED_TYPES,
	.nr_rows = nr_rows,
	.seek = seek,
};
