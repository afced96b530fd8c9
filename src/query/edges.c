/*
 * edges: the table of all pointers from blocks to blocks, in order of where they stand.
 *
 * Rows of one source or of many are walked from block to block; those that lead to one block
 * are a list of holders.h.
 */
#include "query/table.h"

struct edge_cursor {
	struct query_cursor base; /* first; at: see below */
	bool is_held;             /* at: among holders, else the rank of the source */
	const uint32_t *holders;
	uint64_t source;     /* the block that `walk` goes through */
	struct edge_at edge; /* the row's; without places while the walk is behind */
	uint64_t address;    /* of the source; 0: not asked for yet */
	struct edge_walk walk;
};

static struct edge_cursor *edge_cursor(struct query_cursor *cursor)
{
	return (struct edge_cursor *)cursor;
}

static void enter(struct edge_cursor *self, uint64_t source)
{
	self->source = source;
	self->address = 0;
	self->walk = graph_walk(self->base.heap->graph, (uint32_t)source);
}

/* The next edge of this source or of one after it. */
static void go_on(struct edge_cursor *self)
{
	while (!edge_walk_next(&self->walk, &self->edge))
		if (++self->base.at < self->base.end)
			enter(self, self->base.at);
		else
			return;
}

/* Of a held row only the index is known at first. */
static void take_held(struct edge_cursor *self)
{
	if (self->base.at < self->base.end)
		self->edge.index = self->holders[self->base.at];
	self->address = 0;
}

static void next(struct query_cursor *cursor)
{
	struct edge_cursor *self = edge_cursor(cursor);
	if (self->is_held) {
		cursor->at++;
		take_held(self);
	} else {
		go_on(self);
	}
}

/* Brings the walk to the row's edge: source and places are known then. */
static void catch_up(struct edge_cursor *self)
{
	const struct graph *graph = self->base.heap->graph;
	uint64_t index = self->edge.index;
	if (!self->is_held || self->address)
		return;
	enter(self, holders_source(graph, index));
	self->address = query_heap_address(self->base.heap, (uint32_t)self->source);
	while (edge_walk_next(&self->walk, &self->edge) && self->edge.index < index)
		;
}

enum { KEY_SRC, KEY_DST };

static struct error *seek(struct query_cursor *cursor, const struct query_span *span)
{
	struct edge_cursor *self = edge_cursor(cursor);
	const struct graph *graph = cursor->heap->graph;
	self->is_held = span->key == KEY_DST && graph->nr_edges <= HOLDERS_MOST;
	if (self->is_held) {
		uint32_t nr = 0, target = query_span_block(cursor->heap, span);
		if (target != RANK_NONE)
			self->holders = holders_of(&cursor->heap->holders, target, &nr);
		cursor->end = nr;
		take_held(self);
		return NULL;
	}
	if (span->key == KEY_SRC)
		cursor_clip_blocks(cursor, span);
	else
		cursor->end = graph->nr_blocks;
	if (cursor->at < cursor->end) {
		enter(self, cursor->at);
		go_on(self);
	}
	return NULL;
}

static void put_src(struct query_cursor *cursor, sqlite3_context *out)
{
	struct edge_cursor *self = edge_cursor(cursor);
	catch_up(self);
	if (!self->address)
		self->address = query_heap_address(cursor->heap, (uint32_t)self->source);
	put_number(out, self->address);
}

static bool has_places(const struct query_cursor *cursor)
{
	return cursor->heap->graph->places.edges_are_kept;
}

static void put_src_offset(struct query_cursor *cursor, sqlite3_context *out)
{
	struct edge_cursor *self = edge_cursor(cursor);
	catch_up(self);
	if (has_places(cursor))
		put_number(out, self->edge.offset);
}

static uint32_t edge_of(const struct query_cursor *cursor)
{
	const struct edge_cursor *self = (const struct edge_cursor *)cursor;
	return ((const uint32_t *)cursor->heap->graph->edges.memory)[self->edge.index];
}

static void put_dst(struct query_cursor *cursor, sqlite3_context *out)
{
	put_number(out, query_heap_address(cursor->heap, edge_rank(edge_of(cursor))));
}

static void put_dst_offset(struct query_cursor *cursor, sqlite3_context *out)
{
	struct edge_cursor *self = edge_cursor(cursor);
	catch_up(self);
	if (has_places(cursor))
		put_number(out, self->edge.distance);
	else if (edge_class(self->edge.edge) == EDGE_START)
		put_number(out, 0);
}

static void put_exact(struct query_cursor *cursor, sqlite3_context *out)
{
	struct edge_cursor *self = edge_cursor(cursor);
	const struct look *look = cursor->heap->look;
	catch_up(self);
	put_number(out, has_places(cursor) &&
				fields_has_pointer(&look->fields,
						   natures_get(look->natures,
							       (uint32_t)self->source),
						   self->edge.offset));
}

static const struct query_field fields[] = {
	{ "src", QUERY_TYPE_ADDRESS, "block that the pointer stands in", 0, put_src },
	{ "src_offset", QUERY_TYPE_INTEGER, "bytes into that block", 0, put_src_offset },
	{ "dst", QUERY_TYPE_ADDRESS, "block that it leads to", 0, put_dst },
	{ "dst_offset", QUERY_TYPE_INTEGER,
	  "bytes into that block; 0: a pointer to its start", 0, put_dst_offset },
	{ "exact", QUERY_TYPE_INTEGER,
	  "1: a type says that it is a pointer; 0: it looks like one", 0, put_exact },
};

static const struct query_key keys[] = {
	[KEY_SRC] = { "src", KEY_RANGE, 0 },
	[KEY_DST] = { "dst", 0, NEED_HOLDERS },
};

static uint64_t number(const struct query_cursor *cursor)
{
	return ((const struct edge_cursor *)cursor)->edge.index;
}

static uint64_t nr_rows(const struct query_heap *heap)
{
	return heap->graph->nr_edges;
}

const struct query_table query_edges = {
	.name = "edges",
	.help = "pointers from blocks to blocks",
	.fields = fields,
	.nr_fields = ARRAY_SIZE(fields),
	.keys = keys,
	.nr_keys = ARRAY_SIZE(keys),
	.ordered_by = "src",
	.cursor_size = sizeof(struct edge_cursor),
	.nr_rows = nr_rows,
	.seek = seek,
	.next = next,
	.number = number,
};
