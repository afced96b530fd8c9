/*
 * recorder: one program recorded from its start to its end, into a trace.
 */
#ifndef SEEP_RECORD_RECORDER_H
#define SEEP_RECORD_RECORDER_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/error.h"
#include "model/record.h"

struct recorder_options {
	char *const *command; /* NULL-terminated */
	const char *output;   /* NULL: seep.NAME.PID.trace in the current folder */
	uint64_t min_size;    /* smaller blocks are not recorded */
	unsigned max_frames;
	bool drops; /* what has no room is dropped and counted, not waited with */
	bool keeps_addresses;
	bool follows;   /* a program that it executes in its place is recorded, too */
	bool is_paused; /* nothing is recorded until that is asked for (record/control.h) */
	/* NULL or called when the program exists and has not run yet. */
	void (*on_start)(void *context, pid_t pid);
	void *context;
};

/*
 * Starts the command, and returns when it has ended. *status: its wait status; -1 if it never
 * started, then an error says why and *code what a shell would have returned (126 or 127;
 * 0: none). When recording fails on the way, the program goes on to its end and a warning of
 * the report says what happened.
 */
struct error *recorder_run(const struct recorder_options *options, int *status, int *code,
			   struct record_report **report) MUST_CHECK;

#endif
