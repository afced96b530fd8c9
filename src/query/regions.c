/*
 * regions: the table of mappings: of the target where there is one, which knows all that
 * /proc/PID/maps says; of a snapshot, which knows where they are and their names.
 */
#include "query/table.h"

#include <string.h>

/* One mapping, whoever tells of it. */
struct region_row {
	uint64_t start, end;
	const char *name;            /* "" for none */
	const struct region *region; /* NULL: what else there is to tell is not known */
};

static const struct region_vec *target_regions(const struct query_heap *heap)
{
	const struct source *source = heap->inspection.source;
	return source && source->target ? &source->target->regions : NULL;
}

static uint64_t nr_rows(const struct query_heap *heap)
{
	const struct region_vec *regions = target_regions(heap);
	return regions ? regions->nr : heap->look->regions.nr;
}

static struct region_row row(const struct query_cursor *cursor)
{
	const struct region_vec *regions = target_regions(cursor->heap);
	if (regions) {
		const struct region *region = &regions->items[cursor->at];
		return (struct region_row){ region->start, region->end, region->name,
					    region };
	}
	const struct look_region *region = &cursor->heap->look->regions.items[cursor->at];
	return (struct region_row){ region->start, region->end, region->name, NULL };
}

static struct error *seek(struct query_cursor *cursor, const struct query_span *span)
{
	(void)span;
	cursor->end = nr_rows(cursor->heap);
	return NULL;
}

/* --- columns ---------------------------------------------------------------------------- */

static void put_start(struct query_cursor *cursor, sqlite3_context *out)
{
	put_number(out, row(cursor).start);
}

static void put_end(struct query_cursor *cursor, sqlite3_context *out)
{
	put_number(out, row(cursor).end);
}

static void put_size(struct query_cursor *cursor, sqlite3_context *out)
{
	put_number(out, row(cursor).end - row(cursor).start);
}

static void put_perms(struct query_cursor *cursor, sqlite3_context *out)
{
	const struct region *region = row(cursor).region;
	if (!region)
		return;
	const char perms[] = {
		region->flags & REGION_READ ? 'r' : '-',
		region->flags & REGION_WRITE ? 'w' : '-',
		region->flags & REGION_EXEC ? 'x' : '-',
		region->flags & REGION_SHARED ? 's' : 'p',
		'\0',
	};
	put_copy(out, perms);
}

static void put_path(struct query_cursor *cursor, sqlite3_context *out)
{
	struct region_row of = row(cursor);
	if (of.name[0])
		put_copy(out, of.name);
}

/* What the kernel calls some of them, and what begins so. The first that fits. */
static const struct {
	const char *name;
	const char *kind;
} kinds[] = {
	{ "[heap]", "heap" },     { "[stack", "stack" },     { "[v", "kernel" },
	{ "[anon", "anonymous" }, { "/dev/shm/", "shared" }, { "/memfd:", "shared" },
	{ "/SYSV", "shared" },    { "/", "file" },
};

static void put_kind(struct query_cursor *cursor, sqlite3_context *out)
{
	const char *name = row(cursor).name;
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (!strncmp(name, kinds[i].name, strlen(kinds[i].name))) {
			put_name(out, kinds[i].kind);
			return;
		}
	if (!name[0])
		put_name(out, "anonymous");
}

static const struct query_field fields[] = {
	{ "start", QUERY_TYPE_ADDRESS, "where it begins", 0, put_start },
	{ "end", QUERY_TYPE_ADDRESS, "where what comes after it begins", 0, put_end },
	{ "size", QUERY_TYPE_INTEGER, "bytes of addresses", 0, put_size },
	{ "perms", QUERY_TYPE_TEXT, "\"rw-p\"; not known of a snapshot", 0, put_perms },
	{ "path", QUERY_TYPE_TEXT, "file, or what the kernel calls it", 0, put_path },
	{ "kind", QUERY_TYPE_TEXT, "heap, stack, kernel, anonymous, shared or file", 0,
	  put_kind },
};

const struct query_table query_regions = {
	.name = "regions",
	.help = "mappings of the process",
	.fields = fields,
	.nr_fields = ARRAY_SIZE(fields),
	.cursor_size = sizeof(struct query_cursor),
	.nr_rows = nr_rows,
	.seek = seek,
};
