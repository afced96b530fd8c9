/*
 * why: why a process has so much memory resident: its pages, and all chunks of its heap, of one
 * moment at which it stands still.
 */
#ifndef SEEP_ANALYSE_WHY_H
#define SEEP_ANALYSE_WHY_H

#include "base/error.h"
#include "model/why.h"

struct error *analyse_why(pid_t pid, unsigned max_pause_ms,
			  struct why_report **report) MUST_CHECK;

#endif
