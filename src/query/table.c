/*
 * table: what SQLite wants of a virtual table, for all of ours; see table.h.
 *
 * The tables are eponymous: they are there without being created, so that the database is never
 * written to.
 */
#include "query/table.h"

#include <math.h>
#include <string.h>

#include "base/str.h"

struct table_of_heap {
	const struct query_table *table;
	struct query_heap *heap;
};

struct virtual_table {
	sqlite3_vtab base; /* first */
	const struct query_table *table;
	struct query_heap *heap;
};

/* Not freed before whoever ran the query has told it. */
static int fail(struct query_heap *heap, struct error *error)
{
	error_destroy(heap->error);
	heap->error = error;
	return SQLITE_ERROR;
}

/* --- what it looks like ----------------------------------------------------------------- */

/* SQLite only heeds the INT in them; we know addresses by the rest. */
static const char *const type_words[QUERY_TYPE_NR] = {
	[QUERY_TYPE_INTEGER] = "INTEGER",
	[QUERY_TYPE_ADDRESS] = "ADDRESS INTEGER",
	[QUERY_TYPE_TEXT] = "TEXT",
};

static void put_schema(struct str *out, const struct query_table *table)
{
	str_puts(out, "CREATE TABLE t(");
	for (size_t i = 0; i < table->nr_fields; i++)
		str_printf(out, "%s\"%s\" %s", i ? ", " : "", table->fields[i].name,
			   type_words[table->fields[i].type]);
	str_puts(out, ")");
}

static int connect_table(sqlite3 *database, void *context, int nr_words,
			 const char *const *words, sqlite3_vtab **result, char **message)
{
	(void)nr_words, (void)words, (void)message;
	const struct table_of_heap *of = context;
	struct virtual_table *self = calloc(1, sizeof(*self));
	struct str schema = { 0 };
	put_schema(&schema, of->table);
	int status = SQLITE_NOMEM;
	if (self && !schema.failed)
		status = sqlite3_declare_vtab(database, str_text(&schema));
	str_deinit(&schema);
	if (status != SQLITE_OK) {
		free(self);
		return status;
	}
	self->table = of->table;
	self->heap = of->heap;
	*result = &self->base;
	return SQLITE_OK;
}

static int disconnect_table(sqlite3_vtab *table)
{
	free(table);
	return SQLITE_OK;
}

/* --- planning --------------------------------------------------------------------------- */

/*
 * A plan is the key's number, and a letter for each value that comes with it: how the key is
 * compared with it.
 */
static const struct {
	unsigned char op;
	char letter;
} comparisons[] = {
	{ SQLITE_INDEX_CONSTRAINT_EQ, '=' }, { SQLITE_INDEX_CONSTRAINT_GT, '>' },
	{ SQLITE_INDEX_CONSTRAINT_GE, '>' }, { SQLITE_INDEX_CONSTRAINT_LT, '<' },
	{ SQLITE_INDEX_CONSTRAINT_LE, '<' },
};

static char letter_of(unsigned char op)
{
	for (size_t i = 0; i < ARRAY_SIZE(comparisons); i++)
		if (comparisons[i].op == op)
			return comparisons[i].letter;
	return '\0';
}

static bool is_column(const struct query_table *table, int column, const char *name)
{
	return column >= 0 && name && !strcmp(table->fields[column].name, name);
}

/* Takes what is wanted of a key into the plan; gives the letters, "" for none. */
static void plan_key(const struct query_table *table, const struct query_key *key,
		     bool equal, sqlite3_index_info *info, struct str *letters)
{
	for (int i = 0; i < info->nConstraint; i++) {
		char letter = letter_of(info->aConstraint[i].op);
		if (!info->aConstraint[i].usable || !letter || (letter == '=') != equal ||
		    !is_column(table, info->aConstraint[i].iColumn, key->column))
			continue;
		str_append(letters, &letter, 1);
		info->aConstraintUsage[i].argvIndex = (int)letters->length;
	}
}

static int choose_key(const struct query_table *table, sqlite3_index_info *info,
		      struct str *letters)
{
	for (unsigned pass = 0; pass < 2; pass++)
		for (size_t i = 0; i < table->nr_keys; i++) {
			const struct query_key *key = &table->keys[i];
			if (pass == 1 && !(key->flags & KEY_RANGE))
				continue;
			plan_key(table, key, pass == 0, info, letters);
			if (letters->length)
				return (int)i;
		}
	return QUERY_NO_KEY;
}

/* Guesses: that a key which is not unique has a few rows, that a range is a part of the whole. */
#define ROWS_OF_KEY 4.0
#define RANGE_PART  16.0
#define SEEK_COST   20.0

static double guess_rows(const struct query_table *table, int key, char letter, double nr)
{
	if (key == QUERY_NO_KEY)
		return nr;
	if (letter != '=')
		return nr / RANGE_PART;
	return table->keys[key].flags & KEY_UNIQUE ? 1 : ROWS_OF_KEY;
}

static bool is_in_order(const struct query_table *table, int key,
			const sqlite3_index_info *info)
{
	const char *by = table->ordered_by;
	return info->nOrderBy == 1 && !info->aOrderBy[0].desc &&
	       is_column(table, info->aOrderBy[0].iColumn, by) &&
	       (key == QUERY_NO_KEY || !strcmp(table->keys[key].column, by));
}

static int plan(sqlite3_vtab *base, sqlite3_index_info *info)
{
	const struct virtual_table *self = (const struct virtual_table *)base;
	const struct query_table *table = self->table;
	struct str letters = { 0 };
	int key = choose_key(table, info, &letters);
	char letter = letters.length ? letters.text[0] : '\0';
	double nr = (double)table->nr_rows(self->heap);
	double rows = guess_rows(table, key, letter, nr);
	info->idxNum = key;
	info->idxStr = sqlite3_mprintf("%s", str_text(&letters));
	info->needToFreeIdxStr = 1;
	info->estimatedRows = (sqlite3_int64)(rows < 1 ? 1 : rows);
	info->estimatedCost = rows + SEEK_COST;
	if (letter == '=' && table->keys[key].flags & KEY_UNIQUE)
		info->idxFlags |= SQLITE_INDEX_SCAN_UNIQUE;
	info->orderByConsumed = is_in_order(table, key, info);
	bool failed = letters.failed || !info->idxStr;
	str_deinit(&letters);
	return failed ? SQLITE_NOMEM : SQLITE_OK;
}

/* --- rows ------------------------------------------------------------------------------- */

static int open_cursor(sqlite3_vtab *base, sqlite3_vtab_cursor **result)
{
	struct virtual_table *self = (struct virtual_table *)base;
	struct query_cursor *cursor = calloc(1, self->table->cursor_size);
	if (!cursor)
		return SQLITE_NOMEM;
	cursor->table = self->table;
	cursor->heap = self->heap;
	*result = &cursor->base;
	return SQLITE_OK;
}

static int close_cursor(sqlite3_vtab_cursor *base)
{
	free(base);
	return SQLITE_OK;
}

/* Beyond this a double and an integer are not told apart with care: no address is there. */
#define MOST_EXACT 9e15

/* Narrows the span by a value. Numbers in text are numbers to SQLite, as the column is. What is
   no number narrows nothing, and SQLite itself will compare. False: no row can do. */
static bool narrow(struct query_span *span, char letter, sqlite3_value *value)
{
	int type = sqlite3_value_numeric_type(value);
	double real = sqlite3_value_double(value);
	int64_t low = sqlite3_value_int64(value), high = low;
	if (type == SQLITE_NULL)
		return false;
	if (type == SQLITE_FLOAT && fabs(real) < MOST_EXACT) {
		low = (int64_t)floor(real);
		high = (int64_t)ceil(real);
	} else if (type != SQLITE_INTEGER) {
		return true;
	}
	if (letter != '<' && low > span->low)
		span->low = low;
	if (letter != '>' && high < span->high)
		span->high = high;
	return true;
}

static int filter(sqlite3_vtab_cursor *base, int key, const char *letters, int nr,
		  sqlite3_value **values)
{
	struct query_cursor *cursor = (struct query_cursor *)base;
	const struct query_table *table = cursor->table;
	struct query_span span = { .key = key, .low = INT64_MIN, .high = INT64_MAX };
	bool possible = true;
	for (int i = 0; i < nr; i++)
		possible &= narrow(&span, letters[i], values[i]);
	cursor->at = cursor->end = 0;
	if (!possible || span.low > span.high)
		return SQLITE_OK;
	/* A key that is found by one value alone goes through all rows for lack of it. */
	if (key != QUERY_NO_KEY && !(table->keys[key].flags & KEY_RANGE) &&
	    span.low != span.high)
		span = (struct query_span){ .key = QUERY_NO_KEY,
					    .low = INT64_MIN,
					    .high = INT64_MAX };
	unsigned needs = table->needs;
	if (span.key != QUERY_NO_KEY)
		needs |= table->keys[span.key].needs;
	struct error *error = query_heap_find(cursor->heap, needs);
	if (!error)
		error = table->seek(cursor, &span);
	return error ? fail(cursor->heap, error) : SQLITE_OK;
}

static int next(sqlite3_vtab_cursor *base)
{
	struct query_cursor *cursor = (struct query_cursor *)base;
	if (cursor->table->next)
		cursor->table->next(cursor);
	else
		cursor->at++;
	return SQLITE_OK;
}

static int is_at_end(sqlite3_vtab_cursor *base)
{
	const struct query_cursor *cursor = (const struct query_cursor *)base;
	return cursor->at >= cursor->end;
}

static int put_column(sqlite3_vtab_cursor *base, sqlite3_context *out, int column)
{
	struct query_cursor *cursor = (struct query_cursor *)base;
	const struct query_field *field = &cursor->table->fields[column];
	if (field->needs & ~cursor->heap->known) {
		struct error *error = query_heap_find(cursor->heap, field->needs);
		if (error)
			return fail(cursor->heap, error);
	}
	if (field->put)
		field->put(cursor, out);
	return SQLITE_OK;
}

static int put_rowid(sqlite3_vtab_cursor *base, sqlite3_int64 *rowid)
{
	const struct query_cursor *cursor = (const struct query_cursor *)base;
	*rowid = (sqlite3_int64)(cursor->table->number ? cursor->table->number(cursor)
						       : cursor->at);
	return SQLITE_OK;
}

static const sqlite3_module module = {
	.iVersion = 1,
	.xConnect = connect_table,
	.xBestIndex = plan,
	.xDisconnect = disconnect_table,
	.xOpen = open_cursor,
	.xClose = close_cursor,
	.xFilter = filter,
	.xNext = next,
	.xEof = is_at_end,
	.xColumn = put_column,
	.xRowid = put_rowid,
};

/* An eponymous table comes to be when it is first named, for which SQLite writes to its own schema:
   that is to be over before somebody watches what is written. */
static bool touch(sqlite3 *database, const char *name)
{
	char *sql = sqlite3_mprintf("SELECT 1 FROM %w", name);
	sqlite3_stmt *statement = NULL;
	int status = sql ? sqlite3_prepare_v2(database, sql, -1, &statement, NULL)
			 : SQLITE_NOMEM;
	sqlite3_finalize(statement);
	sqlite3_free(sql);
	return status == SQLITE_OK;
}

struct error *query_tables_open(sqlite3 *database, struct query_heap *heap)
{
	const struct query_table *table;
	for (size_t i = 0; (table = query_table_at(i)); i++) {
		struct table_of_heap *of = calloc(1, sizeof(*of));
		if (!of)
			return error_no_memory();
		*of = (struct table_of_heap){ table, heap };
		/* It is freed also when this fails. */
		if (sqlite3_create_module_v2(database, table->name, &module, of, free) !=
			    SQLITE_OK ||
		    !touch(database, table->name))
			return error_no_memory();
	}
	return NULL;
}

/* --- for tables ------------------------------------------------------------------------- */

void cursor_clip_blocks(struct query_cursor *cursor, const struct query_span *span)
{
	const struct space *space = &cursor->heap->graph->space;
	cursor->end = space->nr_blocks;
	if (span->low == span->high) {
		uint32_t rank = query_span_block(cursor->heap, span);
		cursor->at = rank;
		cursor->end = rank == RANK_NONE ? 0 : (uint64_t)rank + 1;
		return;
	}
	cursor->at = span->low <= 0 ? 0 : space_from(space, (uint64_t)span->low);
	if (span->high < 0)
		cursor->end = 0;
	else if (span->high < INT64_MAX)
		cursor->end = space_from(space, (uint64_t)span->high + 1);
}

uint32_t query_span_block(const struct query_heap *heap, const struct query_span *span)
{
	return space_at(&heap->graph->space, (uint64_t)span->low);
}
