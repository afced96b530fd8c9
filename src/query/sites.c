/*
 * sites: the table of stacks that allocated blocks. Of a heap that is looked at from outside there
 * are none; to say so is better than to say that there are no rows.
 */
#include "query/table.h"

static struct error *seek(struct query_cursor *cursor, const struct query_span *span)
{
	(void)span;
	return error_remedy(
		error_create(ERROR_USAGE,
			     "there are no sites: nobody recorded which stacks "
			     "allocated the blocks of %s",
			     cursor->heap->look->subject.name),
		"seep record and seep report tell sites of a run");
}

static const struct query_field fields[] = {
	{ "site", QUERY_TYPE_TEXT, "as in blocks", 0, NULL },
	{ "blocks", QUERY_TYPE_INTEGER, "how many it allocated that are there", 0, NULL },
	{ "size", QUERY_TYPE_INTEGER, "usable bytes of all of them", 0, NULL },
};

static uint64_t nr_rows(const struct query_heap *heap)
{
	(void)heap;
	return 0;
}

const struct query_table query_sites = {
	.name = "sites",
	.help = "stacks that allocated blocks; of no heap yet",
	.fields = fields,
	.nr_fields = ARRAY_SIZE(fields),
	.cursor_size = sizeof(struct query_cursor),
	.nr_rows = nr_rows,
	.seek = seek,
};
