/*
 * seep/report.h: what a trace tells: who allocated how much, when, and what was left.
 *
 * Structs begin with their size, as in seep/leaks.h.
 */
#ifndef SEEP_REPORT_H
#define SEEP_REPORT_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct recording_report; /* opaque here; src/model/recording.h */
struct recording_diff;   /* likewise */
struct error;            /* opaque here; src/base/error.h */

enum seep_report_group {
	SEEP_REPORT_BY_SITE, /* the whole stack */
	SEEP_REPORT_BY_FUNCTION,
	SEEP_REPORT_BY_MODULE,
	SEEP_REPORT_BY_THREAD,
	SEEP_REPORT_BY_SIZE,
	SEEP_REPORT_BY_MARK, /* the time between two marks */
	SEEP_REPORT_BY_TYPE, /* what memory was for, as far as stacks tell */
	SEEP_REPORT_TOP_DOWN,
	SEEP_REPORT_BOTTOM_UP,
};

enum seep_report_order {
	SEEP_REPORT_PEAK, /* bytes that were live at the peak */
	SEEP_REPORT_PERSISTENT,
	SEEP_REPORT_TRANSIENT,
	SEEP_REPORT_TOTAL,
	SEEP_REPORT_ALLOCATIONS,
	SEEP_REPORT_TEMPORARY,
};

enum seep_report_flags {
	SEEP_REPORT_COLLAPSE_RECURSION = 1 << 0,
	SEEP_REPORT_HIDE_LIBS = 1 << 1,
	/* Also the whole call tree, by functions or by lines; not by thread or mark. */
	SEEP_REPORT_TREE = 1 << 2,
	SEEP_REPORT_TREE_LINES = 1 << 3,
};

/* A moment of the run. */
struct seep_report_moment {
	const char *mark; /* NULL: `time_us` counts */
	uint64_t time_us; /* since the start */
};

struct seep_report_options {
	size_t size;      /* sizeof(struct seep_report_options) */
	const char *file; /* the trace */
	enum seep_report_group group;
	enum seep_report_order order;
	unsigned flags;    /* enum seep_report_flags */
	unsigned max_rows; /* 0: all */
	/* Only blocks that were allocated between these moments count, as of the second one.
	   NULL: the start, the end. */
	const struct seep_report_moment *from, *to;
	uint64_t thread;      /* only allocations of the thread of this id; 0: of all */
	uint64_t large_bytes; /* list single allocations of so many bytes; 0: none */
	/* Instead of rows the history of this address, which needs a trace that keeps
	   addresses: the last max_rows events of blocks that had it. NULL: none. */
	const uint64_t *address;
};

/* On success *report is owned by the caller; otherwise the error is. */
struct error *seep_report(const struct seep_report_options *options,
			  struct recording_report **report);
void seep_report_destroy(struct recording_report *report);

/* What grew from `before` to `after`, by site, function or module; both have the same group and
   order, and no flags but those of stacks. */
struct error *seep_diff(const struct seep_report_options *before,
			const struct seep_report_options *after,
			struct recording_diff **diff);
void seep_diff_destroy(struct recording_diff *diff);

#ifdef __cplusplus
}
#endif

#endif
