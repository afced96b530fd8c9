/*
 * seep/record.h: run a program and record every allocation that it makes, with its call stack,
 * in a trace.
 *
 * The program is started with seep's runtime in it (LD_PRELOAD); its streams are its own.
 * Structs begin with their size, as in seep/leaks.h.
 */
#ifndef SEEP_RECORD_H
#define SEEP_RECORD_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#ifdef __cplusplus
extern "C" {
#endif

struct record_report; /* opaque here; src/model/record.h */
struct error;         /* opaque here; src/base/error.h */

enum seep_record_flags {
	SEEP_RECORD_DROP = 1 << 0, /* drop and count events when seep is slower than the
				      program, which otherwise waits */
	SEEP_RECORD_ADDRESSES = 1 << 1,   /* keep the addresses of blocks */
	SEEP_RECORD_PAUSED = 1 << 2,      /* record nothing until SEEP_RECORD_START */
	SEEP_RECORD_FOLLOW_EXEC = 1 << 3, /* go on with what it executes in its place */
};

struct seep_record_options {
	size_t size;          /* sizeof(struct seep_record_options) */
	char *const *command; /* NULL-terminated */
	const char *output;   /* NULL: seep.NAME.PID.trace in the current folder */
	unsigned flags;       /* enum seep_record_flags */
	unsigned max_frames;  /* the innermost so many of a stack; 0: 256 */
	uint64_t min_size;    /* leave smaller blocks out */
	int *command_status;  /* if not NULL: its wait status, -1 if it never started */
	int *start_code; /* if not NULL: 126 or 127 if it could not be started, else 0 */
	/* If not NULL: called when the program exists and has not run yet. */
	void (*on_start)(void *context, pid_t pid);
	void *context;
};

/* Returns when the program has ended. On success *report is owned by the caller; otherwise the
   error is. */
struct error *seep_record(const struct seep_record_options *options,
			  struct record_report **report);
void seep_record_report_destroy(struct record_report *report);

enum seep_record_verb { SEEP_RECORD_START, SEEP_RECORD_STOP, SEEP_RECORD_MARK };

/* Asks the seep that records a process to record again, to stop, or to give this moment a
   name (NULL but for a mark). */
struct error *seep_record_control(pid_t pid, enum seep_record_verb verb,
				  const char *name);

#ifdef __cplusplus
}
#endif

#endif
