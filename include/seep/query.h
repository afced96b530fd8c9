/*
 * seep/query.h: asks the heap of a process in SQL.
 *
 * Structs begin with their size, as in seep/leaks.h.
 */
#ifndef SEEP_QUERY_H
#define SEEP_QUERY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#ifdef __cplusplus
extern "C" {
#endif

struct query_report; /* opaque here, as the rest; src/model/query.h */
struct query_sink;
struct query_words;
struct error; /* opaque here; src/base/error.h */

enum seep_query_flags {
	SEEP_QUERY_TYPES = 1 << 0, /* name types that debug information tells */
};

struct seep_query_options {
	size_t size;           /* sizeof(struct seep_query_options) */
	pid_t pid;             /* of the process; 0 when `file` is given */
	const char *file;      /* instead of a process: a core or a snapshot */
	const char *sysroot;   /* with a core: where the files of its machine are */
	const char *sql;       /* one statement, which only reads */
	uint64_t max_rows;     /* 0: all */
	unsigned max_pause_ms; /* 0: 200 */
	unsigned freeze;       /* enum seep_freeze (seep/leaks.h) */
	uint64_t max_copy_bytes;
	unsigned flags;        /* enum seep_query_flags */
	const char *recording; /* as in seep/heap.h */
};

/* Rows are given to the sink as they come. On success *report, which tells of them all, is owned
   by the caller; otherwise the error is. */
struct error *seep_query(const struct seep_query_options *options,
			 struct query_sink *sink, struct query_report **report);
void seep_query_report_destroy(struct query_report *report);

/* The tables and their columns, by number; false past the last one. */
bool seep_query_table(size_t i, struct query_words *words);
bool seep_query_column(size_t i, size_t k, struct query_words *words);

#ifdef __cplusplus
}
#endif

#endif
