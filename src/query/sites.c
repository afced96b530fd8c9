/*
 * sites: the table of stacks that allocated blocks. Of a heap that nobody recorded there
 * are none; to say so is better than to say that there are no rows.
 */
#include "query/table.h"

static const struct block_sites *sites_of(const struct query_heap *heap)
{
	return &heap->look->sites;
}

/* The first row is of blocks whose site is not known, if there are any. */
static struct error *seek(struct query_cursor *cursor, const struct query_span *span)
{
	(void)span;
	if (!block_sites_are_known(sites_of(cursor->heap)))
		return error_remedy(
			error_create(ERROR_USAGE,
				     "there are no sites: nobody recorded which stacks "
				     "allocated the blocks of %s",
				     cursor->heap->look->subject.name),
			"seep record --addresses -o TRACE, then seep query --recording "
			"TRACE");
	const struct query_site_count *unknown = cursor->heap->site_counts.memory;
	cursor->at = unknown->blocks ? 0 : 1;
	cursor->end = sites_of(cursor->heap)->sites.nr;
	return NULL;
}

static const struct block_site *site(const struct query_cursor *cursor)
{
	return &sites_of(cursor->heap)->sites.items[cursor->at];
}

static const struct query_site_count *count(const struct query_cursor *cursor)
{
	const struct query_site_count *counts = cursor->heap->site_counts.memory;
	return &counts[cursor->at];
}

static void put_site(struct query_cursor *cursor, sqlite3_context *out)
{
	put_copy(out, cursor->at ? site(cursor)->stack : NULL);
}

static void put_function(struct query_cursor *cursor, sqlite3_context *out)
{
	put_copy(out, site(cursor)->function);
}

static void put_blocks(struct query_cursor *cursor, sqlite3_context *out)
{
	put_number(out, count(cursor)->blocks);
}

static void put_size(struct query_cursor *cursor, sqlite3_context *out)
{
	put_number(out, count(cursor)->bytes);
}

static void put_requested(struct query_cursor *cursor, sqlite3_context *out)
{
	if (cursor->at)
		put_number(out, count(cursor)->requested);
}

static const struct query_field fields[] = {
	{ "site", QUERY_TYPE_TEXT, "as in blocks; NULL: not known", 0, put_site },
	{ "function", QUERY_TYPE_TEXT, "that allocated for purposes of its own", 0,
	  put_function },
	{ "blocks", QUERY_TYPE_INTEGER, "how many it allocated that are there", 0,
	  put_blocks },
	{ "size", QUERY_TYPE_INTEGER, "usable bytes of all of them", 0, put_size },
	{ "requested", QUERY_TYPE_INTEGER, "bytes that were asked for, of all of them", 0,
	  put_requested },
};

static uint64_t nr_rows(const struct query_heap *heap)
{
	return sites_of(heap)->sites.nr;
}

const struct query_table query_sites = {
	.name = "sites",
	.help = "stacks that allocated blocks, of a heap that was recorded",
	.fields = fields,
	.nr_fields = ARRAY_SIZE(fields),
	.cursor_size = sizeof(struct query_cursor),
	.needs = NEED_SITE_COUNTS,
	.nr_rows = nr_rows,
	.seek = seek,
};
