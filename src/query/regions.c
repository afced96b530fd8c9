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
	const struct vm_region *counted; /* the same */
};

static const struct region_vec *target_regions(const struct query_heap *heap)
{
	const struct source *source = heap->inspection.source;
	return source && source->target ? &source->target->regions : NULL;
}

/* What was counted is of the same stop as what the target has listed. */
static const struct vm_region_vec *counted_regions(const struct query_heap *heap)
{
	const struct vm_region_vec *regions = &heap->look->mappings.regions;
	return regions->nr ? regions : NULL;
}

static uint64_t nr_rows(const struct query_heap *heap)
{
	const struct region_vec *regions = target_regions(heap);
	const struct vm_region_vec *counted = counted_regions(heap);
	if (counted)
		return counted->nr;
	return regions ? regions->nr : heap->look->regions.nr;
}

static struct region_row row(const struct query_cursor *cursor)
{
	const struct region_vec *regions = target_regions(cursor->heap);
	const struct vm_region_vec *counted = counted_regions(cursor->heap);
	if (counted) {
		const struct vm_region *region = &counted->items[cursor->at];
		return (struct region_row){ region->start, region->end, region->name,
					    NULL, region };
	}
	if (regions) {
		const struct region *region = &regions->items[cursor->at];
		return (struct region_row){ region->start, region->end, region->name,
					    region, NULL };
	}
	const struct look_region *region = &cursor->heap->look->regions.items[cursor->at];
	return (struct region_row){ region->start, region->end, region->name, NULL,
				    NULL };
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
	const struct vm_region *counted = row(cursor).counted;
	const struct region *region = row(cursor).region;
	if (counted)
		put_copy(out, counted->access);
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

static void put_type(struct query_cursor *cursor, sqlite3_context *out)
{
	const struct vm_region *counted = row(cursor).counted;
	if (counted)
		put_copy(out, counted->type); /* NULL: of a later seep */
}

static void put_count(struct query_cursor *cursor, sqlite3_context *out,
		      enum vm_column column)
{
	const struct vm_region *counted = row(cursor).counted;
	if (counted && cursor->heap->look->mappings.known >> column & 1)
		put_number(out, counted->sizes.bytes[column]);
}

/* A column of seep vm. */
#define PUT_COUNT(name, column)                                                          \
	static void put_##name(struct query_cursor *cursor, sqlite3_context *out)        \
	{                                                                                \
		put_count(cursor, out, column);                                          \
	}
PUT_COUNT(resident, VM_RESIDENT)
PUT_COUNT(dirty, VM_DIRTY)
PUT_COUNT(clean, VM_CLEAN)
PUT_COUNT(swapped, VM_SWAPPED)
PUT_COUNT(reclaimable, VM_RECLAIMABLE)
PUT_COUNT(locked, VM_LOCKED)
PUT_COUNT(private, VM_PRIVATE)
PUT_COUNT(shared, VM_SHARED)
PUT_COUNT(share, VM_SHARE)
PUT_COUNT(huge, VM_HUGE)
PUT_COUNT(footprint, VM_FOOTPRINT)

static const struct query_field fields[] = {
	{ "start", QUERY_TYPE_ADDRESS, "where it begins", 0, put_start },
	{ "end", QUERY_TYPE_ADDRESS, "where what comes after it begins", 0, put_end },
	{ "size", QUERY_TYPE_INTEGER, "bytes of addresses", 0, put_size },
	{ "perms", QUERY_TYPE_TEXT, "\"rw-p\"; not known of an older snapshot", 0,
	  put_perms },
	{ "path", QUERY_TYPE_TEXT, "file, or what the kernel calls it", 0, put_path },
	{ "kind", QUERY_TYPE_TEXT, "heap, stack, kernel, anonymous, shared or file", 0,
	  put_kind },
	{ "type", QUERY_TYPE_TEXT, "what it is for, as in seep vm; of processes",
	  NEED_MAPPINGS, put_type },
	{ "virtual", QUERY_TYPE_INTEGER, "the same as size", 0, put_size },
	{ "resident", QUERY_TYPE_INTEGER, "bytes in memory", NEED_MAPPINGS,
	  put_resident },
	{ "dirty", QUERY_TYPE_INTEGER,
	  "of these, changed since they were read from a file, or never in one",
	  NEED_MAPPINGS, put_dirty },
	{ "clean", QUERY_TYPE_INTEGER, "of these, as in a file", NEED_MAPPINGS,
	  put_clean },
	{ "swapped", QUERY_TYPE_INTEGER, "bytes swapped out", NEED_MAPPINGS,
	  put_swapped },
	{ "reclaimable", QUERY_TYPE_INTEGER,
	  "given back with MADV_FREE, and not yet taken", NEED_MAPPINGS,
	  put_reclaimable },
	{ "locked", QUERY_TYPE_INTEGER, "bytes locked into memory, by share",
	  NEED_MAPPINGS, put_locked },
	{ "private", QUERY_TYPE_INTEGER, "resident, and mapped by nobody else",
	  NEED_MAPPINGS, put_private },
	{ "shared", QUERY_TYPE_INTEGER, "resident, and mapped by others too",
	  NEED_MAPPINGS, put_shared },
	{ "share", QUERY_TYPE_INTEGER, "resident, each page divided by how many map it",
	  NEED_MAPPINGS, put_share },
	{ "huge", QUERY_TYPE_INTEGER, "bytes in huge pages", NEED_MAPPINGS, put_huge },
	{ "footprint", QUERY_TYPE_INTEGER, "dirty and swapped out, by share",
	  NEED_MAPPINGS, put_footprint },
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
