/*
 * run: what a program that was recorded leaked, at its end, and where it allocated most.
 */
#ifndef SEEP_ANALYSE_RUN_H
#define SEEP_ANALYSE_RUN_H

#include "analyse/leaks.h"
#include "heap/recorded.h"
#include "model/run.h"
#include "snap/trace_reader.h"

/* All that was allocated with one size from one stack; numbers of blocks. */
struct run_request {
	uint64_t size;
	uint32_t node;
	uint64_t allocations, temporary, peak, live;
};
DEFINE_VEC(run_request_vec, struct run_request);

/* What was recorded of a program; who records it fills it, and owns what it points to. */
struct run_recording {
	struct heap_recording heap;
	struct trace trace; /* run.path, code and nodes */
	struct run_request_vec requests;
	/* The program became another, by execve(): its blocks are none of those recorded. */
	bool is_replaced;
};

struct analyse_run_options {
	/* What to find: of its fields pid, file, recording and call_sites are not used. */
	struct analyse_leaks_options leaks;
	unsigned max_sites; /* of the worst */
	/* The command, as in struct source_recording. */
	pid_t child;
	struct error *(*go)(void *context, const struct await *await);
	struct error *(*settle)(void *context, struct run_recording *recording);
	void *context;
};

/*
 * Lets the command run to its end. An error means that it did not run. What cannot be found out
 * otherwise is a warning; totals are for the caller to fill in. *recording is filled by
 * settle(), and for the caller to end.
 */
struct error *analyse_run(const struct analyse_run_options *options,
			  struct run_recording *recording,
			  struct run_report *report) MUST_CHECK;

#endif
