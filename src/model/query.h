/*
 * query: what a question in SQL comes to: columns, and rows that pass by one at a time, for
 * there may be more of them than memory has room for.
 */
#ifndef SEEP_MODEL_QUERY_H
#define SEEP_MODEL_QUERY_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"
#include "base/vec.h"

enum query_kind {
	QUERY_NULL, /* not known */
	QUERY_INTEGER,
	QUERY_ADDRESS, /* an integer of a column that is known to be of addresses */
	QUERY_REAL,
	QUERY_TEXT,
	QUERY_BYTES,
};

struct query_value {
	enum query_kind kind;
	int64_t integer; /* of an address: its bits */
	double real;
	const char *text; /* NUL-terminated; valid until the next row */
	size_t length;    /* of text and bytes */
};

struct query_column {
	char *name;
	bool is_address;
};
DEFINE_VEC(query_column_vec, struct query_column);

struct query_report {
	pid_t pid;
	char *target;    /* "redis-server (412)" */
	char *file;      /* that it was read from; NULL: a process */
	char *allocator; /* "glibc 2.36" */
	char *sql;       /* as it was given */
	struct query_column_vec columns;
	char **warnings; /* NULL-terminated sentences; NULL: none */
	uint64_t nr_rows;
	bool has_more; /* rows, which were not asked for */
};

/* Whom the answer is told. */
struct query_sink {
	/* Once, when columns and warnings are known; then for every row. */
	struct error *(*begin)(struct query_sink *sink,
			       const struct query_report *report);
	struct error *(*row)(struct query_sink *sink, const struct query_report *report,
			     const struct query_value *values);
	/* Asked now and then: whether somebody wants it to end. NULL: nobody does. */
	bool (*is_stopped)(struct query_sink *sink);
};

/* A table or a column that can be asked, for who tells of them. */
struct query_words {
	const char *name, *type, *help;
};

void query_report_destroy(struct query_report *report);

#endif
