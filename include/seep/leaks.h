/*
 * seep/leaks.h: look for leaked memory in a process that nobody prepared, or in a file that
 * holds the memory of one.
 *
 * A process is stopped for at most `max_pause_ms`, read, and let go; its own memory is never written
 * to. Structs begin with their size, so that a caller built against an older header keeps
 * working: fields past `size` take their defaults (zero).
 */
#ifndef SEEP_LEAKS_H
#define SEEP_LEAKS_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#ifdef __cplusplus
extern "C" {
#endif

struct baseline;     /* opaque; what one look found */
struct leaks_report; /* opaque here; src/model/leaks.h */
struct error;        /* opaque here; src/base/error.h */

enum seep_group_by {
	SEEP_GROUP_BY_CAUSE,
	SEEP_GROUP_BY_TYPE,
	SEEP_GROUP_BY_SIZE,
	SEEP_GROUP_BY_ROOT,
};

enum seep_kinds {
	SEEP_KIND_DEFINITE = 1 << 0,
	SEEP_KIND_INDIRECT = 1 << 1,
	SEEP_KIND_POSSIBLE = 1 << 2,
	SEEP_KIND_REACHABLE = 1 << 3,
};

enum seep_freeze {
	SEEP_FREEZE_AUTO, /* through a copy where that pays and nothing speaks against it */
	SEEP_FREEZE_COPY, /* through a copy, or not at all */
	SEEP_FREEZE_STOP, /* stopped and read */
};

enum seep_leaks_flags {
	SEEP_LEAKS_STRICT = 1 << 0, /* interior pointers do not count as reachable */
	SEEP_LEAKS_TYPES = 1 << 1,  /* name types that debug information tells */
};

struct seep_leaks_options {
	size_t size;          /* sizeof(struct seep_leaks_options) */
	pid_t pid;            /* of the process; 0 when `command` or `file` is given */
	char *const *command; /* NULL-terminated: start this, look at its exit */
	int *command_status;  /* if not NULL: its wait status, -1 if it never started */
	unsigned flags;       /* enum seep_leaks_flags */
	unsigned kinds;       /* enum seep_kinds to list; 0: definite and possible */
	enum seep_group_by group_by;
	const char *const *excludes; /* NULL-terminated patterns on types, with * and ? */
	unsigned max_pause_ms;       /* 0: 200 */
	unsigned max_findings;       /* 0: all */
	unsigned max_examples;       /* per finding; 0: 3 */
	const char *file;            /* instead of a process: a core file or snapshot */
	enum seep_freeze freeze;     /* how a running process is looked at */
	uint64_t
		max_copy_bytes; /* private pages of the copy; 0: what there is room for */
	const char
		*sysroot; /* with `file`: where the files of its machine are; NULL: / */
	const char *const *suppressions; /* NULL-terminated paths of files of rules */
	const char *diff_from;           /* a snapshot: tell what is new since then */
	/* If not NULL: tell what is new since *baseline, which is NULL at first, and put what
	   this look found there instead; seep_leaks_baseline_destroy() ends the last. */
	struct baseline **baseline;
	/* The trace that the process is being recorded into, with addresses, or that it was recorded
	   into whose core `file` is: findings have the stacks that allocated them. NULL: nobody does. */
	const char *recording;
};

/* On success *report is owned by the caller; otherwise the error is. */
struct error *seep_leaks(const struct seep_leaks_options *options,
			 struct leaks_report **report);
void seep_leaks_report_destroy(struct leaks_report *report);
void seep_leaks_baseline_destroy(struct baseline *baseline);

#ifdef __cplusplus
}
#endif

#endif
