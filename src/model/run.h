/*
 * run: the plain result of a program's run under seep: what it allocated, and what it leaked.
 */
#ifndef SEEP_MODEL_RUN_H
#define SEEP_MODEL_RUN_H

#include "model/leaks.h"
#include "model/stack.h"

/* All that one call stack allocated; bytes as they were asked for. */
struct run_site {
	struct call_stack stack;
	uint64_t allocations, bytes;      /* total */
	uint64_t peak_blocks, peak_bytes; /* live when the whole was at its peak */
	uint64_t live_blocks, live_bytes; /* at the end */
	uint64_t temporary;               /* freed by the next event of their thread */
};
DEFINE_VEC(run_site_vec, struct run_site);

struct run_report {
	struct leaks_report *leaks; /* NULL: the program's end was not seen */
	char *target;               /* "xmllint"; owned */
	pid_t pid;
	int command_status; /* as waitpid() has it */
	double seconds;
	uint64_t allocations, frees, bytes, temporary;
	uint64_t peak_bytes, live_bytes, live_blocks;
	int64_t growth_bytes; /* live at the end, less those of the earlier run if there is one */
	uint64_t lost_events;
	uint64_t executions; /* of other programs in its place, which were recorded too */
	struct run_site_vec by_peak, by_total; /* the worst few, worst first */
	struct sentence_vec warnings;          /* about the recording */
};

void run_report_destroy(struct run_report *report);

#endif
