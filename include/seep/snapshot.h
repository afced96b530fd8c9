/*
 * seep/snapshot.h: store what a look at a process saw in a file, from which seep answers
 * later and on other machines what it would have answered then.
 *
 * Structs begin with their size, as in seep/leaks.h.
 */
#ifndef SEEP_SNAPSHOT_H
#define SEEP_SNAPSHOT_H

#include <stddef.h>
#include <sys/types.h>

#ifdef __cplusplus
extern "C" {
#endif

struct snapshot_report; /* opaque here; src/model/snapshot.h */
struct error;           /* opaque here; src/base/error.h */

enum seep_snapshot_flags {
	SEEP_SNAPSHOT_CONTENTS = 1 << 0, /* with all memory that the process wrote */
	SEEP_SNAPSHOT_TYPES = 1 << 1,    /* with types that debug information tells */
	SEEP_SNAPSHOT_ANSWERS = 1
				<< 2, /* with what seep heap's views need of the graph */
};

struct seep_snapshot_options {
	size_t size;           /* sizeof(struct seep_snapshot_options) */
	pid_t pid;             /* of the process; 0 when `file` is given */
	const char *file;      /* instead of a process: a file with the memory of one */
	const char *output;    /* the file to write; one of that name is replaced */
	unsigned flags;        /* enum seep_snapshot_flags */
	unsigned max_pause_ms; /* 0: 200 */
	const char
		*recording; /* as in seep/heap.h: what allocated blocks is stored, too */
};

/* On success *report is owned by the caller and the file complete; otherwise the error is
   the caller's, and nothing was written. */
struct error *seep_snapshot(const struct seep_snapshot_options *options,
			    struct snapshot_report **report);
void seep_snapshot_report_destroy(struct snapshot_report *report);

#ifdef __cplusplus
}
#endif

#endif
