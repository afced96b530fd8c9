/*
 * rules: what SQL may do here: read. Everything else is refused before it runs.
 */
#ifndef SEEP_QUERY_RULES_H
#define SEEP_QUERY_RULES_H

#include <sqlite3.h>

/* What was refused, for the error. */
struct query_rules {
	const char *refused; /* "ATTACH", "INSERT", "a PRAGMA"; NULL: nothing */
};

/* The rules must outlive the database. */
void query_rules_set(sqlite3 *database, struct query_rules *rules);

#endif
