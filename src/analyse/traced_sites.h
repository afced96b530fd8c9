/*
 * traced_sites: which call stacks allocated the blocks of a process that is being recorded, how much they
 * asked for, and when, by the trace that is being written.
 */
#ifndef SEEP_ANALYSE_TRACED_SITES_H
#define SEEP_ANALYSE_TRACED_SITES_H

#include "analyse/look.h"
#include "analyse/traced_events.h"

/* After the look: sets look->sites. Sentences about what gave no names go to its warnings. */
struct error *traced_sites_find(const struct source_trace *trace,
				const struct target *target,
				const struct traced_look *before,
				struct look *look) MUST_CHECK;

#endif
