/* roots: the table of words outside the blocks that point into one. */
#include "query/table.h"

struct root_cursor {
	struct query_cursor base; /* first; at: the index of a root, or among holders */
	const uint32_t *holders;  /* NULL: all roots */
};

static struct error *seek(struct query_cursor *cursor, const struct query_span *span)
{
	struct root_cursor *self = (struct root_cursor *)cursor;
	self->holders = NULL;
	if (span->key == QUERY_NO_KEY) {
		cursor->end = query_heap_roots(cursor->heap)->nr;
		return NULL;
	}
	uint32_t nr = 0, target = query_span_block(cursor->heap, span);
	if (target != RANK_NONE)
		self->holders = holders_of(&cursor->heap->holding_roots, target, &nr);
	cursor->end = nr;
	return NULL;
}

static uint64_t root_index(const struct query_cursor *cursor)
{
	const struct root_cursor *self = (const struct root_cursor *)cursor;
	return self->holders ? self->holders[cursor->at] : cursor->at;
}

static const struct graph_root *root(const struct query_cursor *cursor)
{
	return &query_heap_roots(cursor->heap)->items[root_index(cursor)];
}

static uint32_t group(const struct query_cursor *cursor)
{
	return root_groups_numbers(&cursor->heap->groups)[root_index(cursor)];
}

static void put_kind(struct query_cursor *cursor, sqlite3_context *out)
{
	const bool is_register = graph_root_kind(root(cursor)) == ROOT_REGISTER;
	put_name(out, is_register
			      ? "register"
			      : root_groups_kind(&cursor->heap->groups, group(cursor)));
}

static void put_symbol(struct query_cursor *cursor, sqlite3_context *out)
{
	put_copy(out, root_groups_symbol(&cursor->heap->groups, group(cursor)).function);
}

static void put_module(struct query_cursor *cursor, sqlite3_context *out)
{
	put_copy(out, root_groups_symbol(&cursor->heap->groups, group(cursor)).module);
}

static void put_tid(struct query_cursor *cursor, sqlite3_context *out)
{
	pid_t tid = root_thread(root(cursor));
	if (tid)
		put_number(out, (uint64_t)tid);
}

static void put_addr(struct query_cursor *cursor, sqlite3_context *out)
{
	if (root(cursor)->where)
		put_number(out, root(cursor)->where);
}

static void put_dst(struct query_cursor *cursor, sqlite3_context *out)
{
	put_number(out, query_heap_address(cursor->heap, edge_rank(root(cursor)->edge)));
}

static void put_retained(struct query_cursor *cursor, sqlite3_context *out)
{
	const struct dominators *dominators = &cursor->heap->dominators;
	put_number(out, dominators_retained(dominators,
					    dominators->nr_blocks + group(cursor)));
}

static void put_root(struct query_cursor *cursor, sqlite3_context *out)
{
	put_name(out, query_heap_group(cursor->heap, group(cursor)));
}

static const struct query_field fields[] = {
	{ "kind", QUERY_TYPE_TEXT, "global, stack, register, mapping, kernel, …",
	  NEED_GROUPS, put_kind },
	{ "symbol", QUERY_TYPE_TEXT,
	  "variable that it is in, or function of a thread's call", NEED_GROUPS,
	  put_symbol },
	{ "module", QUERY_TYPE_TEXT, "file that this is of", NEED_GROUPS, put_module },
	{ "tid", QUERY_TYPE_INTEGER, "thread whose stack or register it is", 0, put_tid },
	{ "addr", QUERY_TYPE_ADDRESS, "where the word stands; NULL: not in memory", 0,
	  put_addr },
	{ "dst", QUERY_TYPE_ADDRESS, "block that it leads to", 0, put_dst },
	{ "retained", QUERY_TYPE_INTEGER,
	  "bytes that would go with the whole variable, stack or mapping",
	  NEED_DOMINATORS, put_retained },
	{ "root", QUERY_TYPE_TEXT, "name of the variable, stack or mapping", NEED_GROUPS,
	  put_root },
};

static const struct query_key keys[] = {
	{ "dst", 0, NEED_HOLDING_ROOTS },
};

static uint64_t nr_rows(const struct query_heap *heap)
{
	return query_heap_roots(heap)->nr;
}

const struct query_table query_roots = {
	.name = "roots",
	.help = "words outside the blocks that point into one",
	.fields = fields,
	.nr_fields = ARRAY_SIZE(fields),
	.keys = keys,
	.nr_keys = ARRAY_SIZE(keys),
	.cursor_size = sizeof(struct root_cursor),
	.nr_rows = nr_rows,
	.seek = seek,
	.number = root_index,
};
