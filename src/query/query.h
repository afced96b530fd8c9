/*
 * query: asks a heap in SQL. Its tables are in tables.c.
 */
#ifndef SEEP_QUERY_QUERY_H
#define SEEP_QUERY_QUERY_H

#include "analyse/source.h"
#include "model/query.h"

struct query_options {
	struct source_options source;
	const char *sql;
	uint64_t max_rows; /* 0: all */
	bool types;        /* also those that debug information tells */
};

/* ERROR_USAGE: the SQL is wrong, or would do more than read; the process is not touched then if
   that can be told without it. */
struct error *query_run(const struct query_options *options, struct query_sink *sink,
			struct query_report **result) MUST_CHECK;

/* The i-th table, and the k-th column of it. False: there is none. */
bool query_table_words(size_t i, struct query_words *words);
bool query_column_words(size_t i, size_t k, struct query_words *words);

#endif
