/*
 * why: why a process has so much memory resident: its pages, and all chunks of its heap, of one
 * moment at which it stands still, or at which a frozen copy of it is made.
 */
#ifndef SEEP_ANALYSE_WHY_H
#define SEEP_ANALYSE_WHY_H

#include "analyse/source.h"
#include "base/error.h"
#include "model/why.h"

struct analyse_why_options {
	pid_t pid;
	unsigned max_pause_ms;
	unsigned freeze; /* enum target_freeze */
	uint64_t max_copy_bytes;
	const struct source_trace *trace; /* NULL: nobody records it */
};

struct error *analyse_why(const struct analyse_why_options *options,
			  struct why_report **report) MUST_CHECK;

#endif
