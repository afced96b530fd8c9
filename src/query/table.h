/*
 * table: a table that SQL can ask, over the arrays of a heap. Nothing is copied: a cursor is a
 * place in them.
 *
 * To add a column: write the function that puts its value, and give it a row in its table's
 * file. To add a table: write its file with a `const struct query_table`, declare it here, and
 * give it a row in tables.c. Help, the schema that SQLite sees, and what is found out beforehand follow
 * from there; doc/query.md tells of it.
 */
#ifndef SEEP_QUERY_TABLE_H
#define SEEP_QUERY_TABLE_H

#include <sqlite3.h>

#include "query/heap.h"

enum query_type {
	QUERY_TYPE_INTEGER,
	QUERY_TYPE_ADDRESS,
	QUERY_TYPE_TEXT,
	QUERY_TYPE_NR,
};

struct query_cursor;

/* A column. `put` gives the value of the cursor's row to SQLite; what it gives nothing is NULL. */
struct query_field {
	const char *name;
	enum query_type type;
	const char *help;
	unsigned needs; /* enum query_need */
	void (*put)(struct query_cursor *cursor, sqlite3_context *out);
};

enum query_key_flags {
	KEY_RANGE = 1 << 0,  /* also <, <=, >, >= */
	KEY_UNIQUE = 1 << 1, /* no two rows have the same */
};

/* A column by whose values rows are found without going through all. Those come first that leave
   the fewest rows. */
struct query_key {
	const char *column;
	unsigned flags;
	unsigned needs;
};

#define QUERY_NO_KEY (-1)

/* Which rows are wanted: those whose key lies in [low, high]. More may come: SQLite looks
   again. */
struct query_span {
	int key; /* among the table's, QUERY_NO_KEY: all rows */
	int64_t low, high;
};

struct query_cursor {
	sqlite3_vtab_cursor base; /* first */
	const struct query_table *table;
	struct query_heap *heap;
	uint64_t at, end; /* places of a list, whose meaning is the table's */
};

struct query_table {
	const char *name, *help;
	const struct query_field *fields;
	size_t nr_fields;
	const struct query_key *keys;
	size_t nr_keys;
	const char
		*ordered_by; /* rows come in ascending order of it, but by another key */
	size_t cursor_size;  /* of a struct that begins with a query_cursor */
	unsigned needs;      /* of every row */
	uint64_t (*nr_rows)(const struct query_heap *heap); /* about */
	/* Goes to the first row; the cursor is at its end if there is none. */
	struct error *(*seek)(struct query_cursor *cursor, const struct query_span *span);
	/* NULL: one place on. */
	void (*next)(struct query_cursor *cursor);
	/* The row's number, by whatever key it was found. NULL: its place. */
	uint64_t (*number)(const struct query_cursor *cursor);
};

extern const struct query_table query_blocks;
extern const struct query_table query_edges;
extern const struct query_table query_roots;
extern const struct query_table query_types;
extern const struct query_table query_sites;
extern const struct query_table query_regions;
extern const struct query_table query_dominators;

/* The i-th table, NULL past the last. */
const struct query_table *query_table_at(size_t i);

/* Makes all tables known to a database. The heap must outlive it. */
struct error *query_tables_open(sqlite3 *database, struct query_heap *heap) MUST_CHECK;

/* --- for tables ------------------------------------------------------------------------ */

static inline void put_number(sqlite3_context *out, uint64_t number)
{
	sqlite3_result_int64(out, (sqlite3_int64)number);
}

/* Text that lives as long as the heap; NULL: memory ran out. */
static inline void put_name(sqlite3_context *out, const char *text)
{
	if (text)
		sqlite3_result_text(out, text, -1, SQLITE_STATIC);
	else
		sqlite3_result_error_nomem(out);
}

/* A copy of text; NULL: it is not known. */
static inline void put_copy(sqlite3_context *out, const char *text)
{
	sqlite3_result_text(out, text, -1, SQLITE_TRANSIENT);
}

/* Sets the cursor's places to those of a list that lie in the span. */
static inline void cursor_clip(struct query_cursor *cursor, uint64_t nr,
			       const struct query_span *span)
{
	cursor->at = span->low > 0 ? (uint64_t)span->low : 0;
	cursor->end = span->high < 0                  ? 0
		      : (uint64_t)span->high + 1 < nr ? (uint64_t)span->high + 1
						      : nr;
}

/* The ranks of blocks whose addresses lie in the span. */
void cursor_clip_blocks(struct query_cursor *cursor, const struct query_span *span);

/* The block that the span's one address is the start of; RANK_NONE: none. */
uint32_t query_span_block(const struct query_heap *heap, const struct query_span *span);

#endif
