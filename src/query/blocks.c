/* blocks: the table of all blocks, in order of their addresses. */
#include "query/table.h"

/* So many are read from the space at a time. */
#define BATCH 128u

struct block_cursor {
	struct query_cursor base; /* first; at: the rank */
	uint64_t first;           /* rank of the first in the batch */
	size_t nr;
	struct space_place places[BATCH];
};

static void read_batch(struct block_cursor *self)
{
	uint64_t left = self->base.end - self->base.at;
	self->first = self->base.at;
	self->nr = space_read(&self->base.heap->graph->space, (uint32_t)self->first,
			      self->places, left < BATCH ? left : BATCH);
}

static struct error *seek(struct query_cursor *cursor, const struct query_span *span)
{
	struct block_cursor *self = (struct block_cursor *)cursor;
	cursor_clip_blocks(cursor, span);
	self->nr = 0;
	return NULL;
}

static const struct space_place *place(struct query_cursor *cursor)
{
	struct block_cursor *self = (struct block_cursor *)cursor;
	if (cursor->at - self->first >= self->nr)
		read_batch(self);
	return &self->places[cursor->at - self->first];
}

static uint32_t rank(const struct query_cursor *cursor)
{
	return (uint32_t)cursor->at;
}

static void put_addr(struct query_cursor *cursor, sqlite3_context *out)
{
	put_number(out, place(cursor)->address);
}

static void put_size(struct query_cursor *cursor, sqlite3_context *out)
{
	put_number(out, place(cursor)->size);
}

static void put_type(struct query_cursor *cursor, sqlite3_context *out)
{
	put_name(out, query_heap_type(cursor->heap, rank(cursor)));
}

static void put_kind(struct query_cursor *cursor, sqlite3_context *out)
{
	put_name(out, query_heap_kind(cursor->heap, rank(cursor)));
}

static const struct block_request *request(const struct query_cursor *cursor)
{
	return block_request(&cursor->heap->look->sites, rank(cursor));
}

static void put_requested(struct query_cursor *cursor, sqlite3_context *out)
{
	if (request(cursor))
		put_number(out, request(cursor)->size);
}

static void put_site(struct query_cursor *cursor, sqlite3_context *out)
{
	const struct block_sites *sites = &cursor->heap->look->sites;
	if (block_site(sites, rank(cursor)))
		put_name(out, sites->sites.items[block_site(sites, rank(cursor))].stack);
}

static void put_age(struct query_cursor *cursor, sqlite3_context *out)
{
	uint32_t age_ms = block_age_ms(&cursor->heap->look->sites, rank(cursor));
	if (age_ms != BLOCK_AGE_UNKNOWN)
		put_number(out, age_ms);
}

static void put_arena(struct query_cursor *cursor, sqlite3_context *out)
{
	const struct arena_span *span =
		arenas_at(&cursor->heap->look->arenas, place(cursor)->address);
	if (span && span->arena != ARENA_NONE)
		put_number(out, span->arena);
}

static void put_dominator(struct query_cursor *cursor, sqlite3_context *out)
{
	const struct dominators *dominators = &cursor->heap->dominators;
	uint32_t parent = dominators_parent(dominators, rank(cursor));
	if (parent < dominators->nr_blocks)
		put_number(out, query_heap_address(cursor->heap, parent));
}

static void put_retained(struct query_cursor *cursor, sqlite3_context *out)
{
	put_number(out, dominators_retained(&cursor->heap->dominators, rank(cursor)));
}

static void put_root(struct query_cursor *cursor, sqlite3_context *out)
{
	uint32_t keeper = ((const uint32_t *)cursor->heap->keepers.memory)[rank(cursor)];
	if (keeper)
		put_name(out, query_heap_group(cursor->heap, keeper - 1));
}

static const struct query_field fields[] = {
	{ "addr", QUERY_TYPE_ADDRESS, "where it begins", 0, put_addr },
	{ "size", QUERY_TYPE_INTEGER, "usable bytes", 0, put_size },
	{ "requested", QUERY_TYPE_INTEGER,
	  "bytes that were asked for, where that was recorded", 0, put_requested },
	{ "type", QUERY_TYPE_TEXT, "class of a vtable, or size and looks", NEED_TYPES,
	  put_type },
	{ "site", QUERY_TYPE_TEXT, "stack that allocated it, where that was recorded", 0,
	  put_site },
	{ "age_ms", QUERY_TYPE_INTEGER,
	  "milliseconds since it was allocated, where that was recorded", 0, put_age },
	{ "kind", QUERY_TYPE_TEXT, "reachable, definite, indirect or possible", 0,
	  put_kind },
	{ "arena", QUERY_TYPE_INTEGER,
	  "number of its arena, 0 the main one; NULL: mapped alone, or not known", 0,
	  put_arena },
	{ "dominator", QUERY_TYPE_ADDRESS,
	  "block that every way to it leads through; NULL: none", NEED_DOMINATORS,
	  put_dominator },
	{ "retained", QUERY_TYPE_INTEGER, "bytes that would go with it", NEED_DOMINATORS,
	  put_retained },
	{ "root", QUERY_TYPE_TEXT,
	  "variable, stack or mapping that alone keeps it alive; NULL: none",
	  NEED_KEEPERS | NEED_GROUPS, put_root },
};

static const struct query_key keys[] = {
	{ "addr", KEY_RANGE | KEY_UNIQUE, 0 },
};

static uint64_t nr_rows(const struct query_heap *heap)
{
	return heap->graph->nr_blocks;
}

const struct query_table query_blocks = {
	.name = "blocks",
	.help = "what the program has allocated and not freed",
	.fields = fields,
	.nr_fields = ARRAY_SIZE(fields),
	.keys = keys,
	.nr_keys = ARRAY_SIZE(keys),
	.ordered_by = "addr",
	.cursor_size = sizeof(struct block_cursor),
	.nr_rows = nr_rows,
	.seek = seek,
};
