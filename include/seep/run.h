/*
 * seep/run.h: run a program, and say at its end what it leaked, with the call stacks that allocated it,
 * and where it allocated most.
 *
 * The program is started with seep's runtime in it (LD_PRELOAD) and stopped at its exit, while its
 * memory still stands. Its streams are its own. Structs begin with their size, as in seep/leaks.h.
 */
#ifndef SEEP_RUN_H
#define SEEP_RUN_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#ifdef __cplusplus
extern "C" {
#endif

struct run_report; /* opaque here; src/model/run.h */
struct error;      /* opaque here; src/base/error.h */

enum seep_run_flags {
	SEEP_RUN_STRICT = 1 << 0, /* as SEEP_LEAKS_STRICT */
	SEEP_RUN_DROP = 1 << 1,   /* as SEEP_RECORD_DROP */
};

struct seep_run_options {
	size_t size;          /* sizeof(struct seep_run_options) */
	char *const *command; /* NULL-terminated */
	unsigned flags;       /* enum seep_run_flags */
	unsigned kinds;       /* enum seep_kinds to list; 0: definite and possible */
	const char *const *excludes;     /* NULL-terminated patterns on types */
	const char *const *suppressions; /* NULL-terminated paths of files of rules */
	const char *baseline;  /* a report in JSON of an earlier run: tell what is new */
	unsigned max_findings; /* 0: all */
	unsigned max_examples; /* per finding; 0: 3 */
	unsigned max_sites;    /* of those that allocated most; 0: 5 */
	unsigned max_frames;   /* the innermost so many of a stack; 0: 256 */
	unsigned max_pause_ms; /* that the program is held at its end; 0: a minute */
	int *start_code; /* if not NULL: 126 or 127 if it could not be started, else 0 */
	/* If not NULL: called when the program exists and has not run yet. */
	void (*on_start)(void *context, pid_t pid);
	void *context;
	const char *
		snapshot; /* store what was there at the end in this file; NULL: do not */
};

/* Returns when the program has ended. An error means that it was not run. On success *report is
   owned by the caller; otherwise the error is. */
struct error *seep_run(const struct seep_run_options *options,
		       struct run_report **report);
void seep_run_report_destroy(struct run_report *report);

#ifdef __cplusplus
}
#endif

#endif
