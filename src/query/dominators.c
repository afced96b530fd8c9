/*
 * dominators: the table of the dominator tree: nodes are blocks, and the variables, stacks and
 * mappings that hold some.
 */
#include "query/table.h"

struct node_cursor {
	struct query_cursor base; /* first; at: the node, or the place among children */
	const uint32_t *children; /* NULL: all nodes */
};

enum { KEY_NODE, KEY_ADDR, KEY_PARENT };

static const struct dominators *dominators(const struct query_cursor *cursor)
{
	return &cursor->heap->dominators;
}

static void seek_children(struct node_cursor *self, const struct query_span *span)
{
	uint32_t nr = 0;
	if (span->low >= 0 && span->low < dominators(&self->base)->nr)
		self->children = dominator_tree_children(&self->base.heap->tree,
							 (uint32_t)span->low, &nr);
	self->base.end = nr;
}

static struct error *seek(struct query_cursor *cursor, const struct query_span *span)
{
	struct node_cursor *self = (struct node_cursor *)cursor;
	self->children = NULL;
	if (span->key == KEY_PARENT)
		seek_children(self, span);
	else if (span->key == KEY_ADDR)
		cursor_clip_blocks(cursor, span);
	else
		cursor_clip(cursor, dominators(cursor)->nr, span);
	return NULL;
}

static uint32_t node(const struct query_cursor *cursor)
{
	const struct node_cursor *self = (const struct node_cursor *)cursor;
	return self->children ? self->children[cursor->at] : (uint32_t)cursor->at;
}

static bool is_block(const struct query_cursor *cursor)
{
	return node(cursor) < dominators(cursor)->nr_blocks;
}

static void put_node(struct query_cursor *cursor, sqlite3_context *out)
{
	put_number(out, node(cursor));
}

static void put_parent(struct query_cursor *cursor, sqlite3_context *out)
{
	uint32_t parent = dominators_parent(dominators(cursor), node(cursor));
	if (parent != RANK_NONE)
		put_number(out, parent);
}

static void put_addr(struct query_cursor *cursor, sqlite3_context *out)
{
	if (is_block(cursor))
		put_number(out, query_heap_address(cursor->heap, node(cursor)));
}

static void put_type(struct query_cursor *cursor, sqlite3_context *out)
{
	if (is_block(cursor))
		put_name(out, query_heap_type(cursor->heap, node(cursor)));
}

static void put_root(struct query_cursor *cursor, sqlite3_context *out)
{
	if (!is_block(cursor))
		put_name(out,
			 query_heap_group(cursor->heap,
					  node(cursor) - dominators(cursor)->nr_blocks));
}

static void put_retained(struct query_cursor *cursor, sqlite3_context *out)
{
	put_number(out, dominators_retained(dominators(cursor), node(cursor)));
}

static void put_children(struct query_cursor *cursor, sqlite3_context *out)
{
	uint32_t nr = 0;
	dominator_tree_children(&cursor->heap->tree, node(cursor), &nr);
	put_number(out, nr);
}

static const struct query_field fields[] = {
	{ "node", QUERY_TYPE_INTEGER, "its number", 0, put_node },
	{ "parent", QUERY_TYPE_INTEGER,
	  "the node that every way to it leads through; NULL: none", 0, put_parent },
	{ "addr", QUERY_TYPE_ADDRESS, "of a block", 0, put_addr },
	{ "type", QUERY_TYPE_TEXT, "of a block", NEED_TYPES, put_type },
	{ "root", QUERY_TYPE_TEXT, "name of a variable, stack or mapping", NEED_GROUPS,
	  put_root },
	{ "retained", QUERY_TYPE_INTEGER, "bytes that would go with it", 0,
	  put_retained },
	{ "children", QUERY_TYPE_INTEGER, "nodes that have it as parent", NEED_TREE,
	  put_children },
};

static const struct query_key keys[] = {
	[KEY_NODE] = { "node", KEY_RANGE | KEY_UNIQUE, 0 },
	[KEY_ADDR] = { "addr", KEY_RANGE | KEY_UNIQUE, 0 },
	[KEY_PARENT] = { "parent", 0, NEED_TREE },
};

static uint64_t number(const struct query_cursor *cursor)
{
	return node(cursor);
}

static uint64_t nr_rows(const struct query_heap *heap)
{
	return heap->graph->nr_blocks;
}

const struct query_table query_dominators = {
	.name = "dominators",
	.help = "what keeps what alive, as a tree",
	.fields = fields,
	.nr_fields = ARRAY_SIZE(fields),
	.keys = keys,
	.nr_keys = ARRAY_SIZE(keys),
	.ordered_by = "node",
	.cursor_size = sizeof(struct node_cursor),
	.needs = NEED_DOMINATORS,
	.nr_rows = nr_rows,
	.seek = seek,
	.number = number,
};
