/*
 * rules: what SQL may do here: read. Everything else is refused before it runs.
 */
#ifndef SEEP_QUERY_RULES_H
#define SEEP_QUERY_RULES_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>

/* What the SQL is about to do, and what was refused, for the error. */
struct query_rules {
	unsigned needs;      /* of all columns that it reads (enum query_need) */
	const char *refused; /* "ATTACH", "INSERT", "a PRAGMA"; NULL: nothing */
};

/* So much memory SQLite may take for what is sorted, grouped and gathered. */
#define QUERY_MEMORY_MOST ((int64_t)1 << 30)

/* Whether it was this limit, rather than the machine's, that memory ran out at. */
bool query_rules_met_limit(void);

/* The rules must outlive the database. */
void query_rules_set(sqlite3 *database, struct query_rules *rules);

#endif
