/*
 * heap: the plain result of one view of a heap: a verdict and a table.
 *
 * A view says what its columns are; whoever renders it knows nothing else of it. Strings are
 * owned by the result unless they are `const char *` to static text.
 */
#ifndef SEEP_MODEL_HEAP_H
#define SEEP_MODEL_HEAP_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/vec.h"

enum heap_unit {
	HEAP_TEXT, /* names; stands last in a row */
	HEAP_COUNT,
	HEAP_BYTES,
	HEAP_ADDRESS,
	HEAP_PERCENT,  /* in hundredths */
	HEAP_SENTENCE, /* below the row, on lines of its own */
};

struct heap_column {
	const char *key;   /* in JSON */
	const char *title; /* for people; NULL: in JSON alone */
	enum heap_unit unit;
};

/* What stands in one column of one row. */
struct heap_cell {
	bool is_known;
	uint64_t number;
	char *text;
};

#define HEAP_COLUMNS_MAX 10u

struct heap_row {
	unsigned depth; /* below rows of less depth before it */
	struct heap_cell cells[HEAP_COLUMNS_MAX];
};
DEFINE_VEC(heap_row_vec, struct heap_row);

struct heap_amount {
	uint64_t blocks, bytes;
};

struct heap_report {
	pid_t pid;
	char *target;     /* "redis-server (412)" */
	char *file;       /* that it was read from; NULL: a process */
	char *allocator;  /* "glibc 2.36" */
	const char *view; /* "histogram" */
	char *asked; /* what the view was asked of: "0x55d0c0a82b0"; NULL: of the whole heap */
	struct heap_amount all, live, lost;
	struct heap_amount
		typed; /* whose type or class is known, or what allocated them */
	uint64_t edges, roots;
	double coverage_percent, pause_ms;
	char *verdict; /* a sentence without its full stop */
	const struct heap_column *columns;
	size_t nr_columns;
	bool is_tree; /* depths count */
	struct heap_row_vec rows;
	uint64_t rows_left_out;
	char **warnings;                 /* NULL-terminated sentences; NULL: none */
	const char *next, *next_purpose; /* the view that is worth a look; NULL: none */
};

void heap_row_deinit(struct heap_row *row);
void heap_report_destroy(struct heap_report *report);

#endif
