/*
 * traced_end: whether a core is of the end of the process that a trace is of. The kernel wrote the core
 * when it ended the process, and the recorder wrote what was left in the rings after that: then all
 * events of the trace were before the core, and there are no others.
 */
#ifndef SEEP_ANALYSE_TRACED_END_H
#define SEEP_ANALYSE_TRACED_END_H

#include "analyse/source.h"
#include "snap/trace_reader.h"
#include "target/target.h"

/* Of a trace that has been read to its end; ERROR_REFUSED with what is wrong. */
struct error *traced_end_check(const char *path, const struct trace *trace,
			       const struct target *core) MUST_CHECK;

#endif
