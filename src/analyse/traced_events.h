/*
 * traced_events: which blocks came and went at which addresses, by the trace of a process that is
 * being recorded, told apart by whether that was written before a look began.
 *
 * All that happened before the look is written before it, and all that happened meanwhile after it.
 */
#ifndef SEEP_ANALYSE_TRACED_EVENTS_H
#define SEEP_ANALYSE_TRACED_EVENTS_H

#include "analyse/source.h"
#include "snap/trace_reader.h"

/* What was when the look began. */
struct traced_look {
	uint64_t bytes; /* of the trace that were written */
	uint64_t at_ns; /* since 1970; 0: when the trace ends */
};

/* All that happened was before the look. */
#define TRACED_LOOK_AT_END                                                               \
	(struct traced_look)                                                             \
	{                                                                                \
		.bytes = UINT64_MAX                                                      \
	}

/* Before the look: has all that happened written. */
struct error *traced_look_begin(const struct source_trace *trace, pid_t pid,
				struct traced_look *before) MUST_CHECK;

/* Embed it first in your own struct. */
struct traced_visitor {
	/* A block came. `is_later`: after the look began. Not told in a pause, of which
	   forget() tells. */
	void (*begin)(struct traced_visitor *visitor, uint64_t address, uint32_t request,
		      uint64_t time_us, bool is_later);
	/* One went that a request had made. */
	void (*end)(struct traced_visitor *visitor, uint64_t address, uint32_t request,
		    bool is_later);
	/* What was told before is not known any more, or all blocks are gone. */
	void (*forget)(struct traced_visitor *visitor);
	uint64_t
		until_us; /* set: when the last event before the look was, since the run began */
};

/* Reads all events; the reader has just been opened. */
struct error *traced_events_read(struct trace_reader *reader,
				 const struct traced_look *before,
				 struct traced_visitor *visitor) MUST_CHECK;

#endif
