/*
 * trace: the chunks of a trace file and the codes of its events. doc/FORMAT.md, "Traces", is the
 * manual. The file is a stream: chunks refer only to what stands before them, so that a file
 * that was cut anywhere is readable up to the cut.
 *
 * A *request* is a pair of size and stack node, numbered as first met. A *death* is what there is
 * to tell of a block that goes: its request, how long it lived, whether it was temporary, and who
 * allocated it. Deaths are numbered as first met, too, so that an event is one small number, and a
 * program that does the same again and again makes the same bytes again and again.
 */
#ifndef SEEP_SNAP_TRACE_H
#define SEEP_SNAP_TRACE_H

#include <stdint.h>

/* snap_type values of traces, beside SNAP_END. */
enum trace_chunk {
	TRACE_RUN = 32,      /* first: of whom, when, how */
	TRACE_MODULES = 33,  /* code that was loaded or unloaded */
	TRACE_NODES = 34,    /* stack nodes */
	TRACE_REQUESTS = 35, /* sizes with nodes */
	TRACE_THREADS = 36,  /* threads by number */
	TRACE_EVENTS = 37,
	TRACE_ADDRESSES = 38, /* of the blocks of the events chunk before; optional */
	TRACE_NAMES =
		39, /* functions, files and lines of nodes; optional, before the end */
	TRACE_SUMMARY = 40, /* how it ended, totals */
	TRACE_DEATHS = 41,  /* ways in which blocks go */
};

/* Addresses at first were of allocations alone. */
static inline uint16_t trace_chunk_version(enum trace_chunk type)
{
	return type == TRACE_ADDRESSES ? 2 : 1;
}

/* Of a chunk of events that ends with an execution, which others do not know. */
#define TRACE_EXECUTION_VERSION 2

/* An event is a number whose two low bits are one of these. */
enum trace_event {
	TRACE_ALLOCATE = 0, /* rest: request */
	TRACE_FREE = 1,     /* rest: death */
	TRACE_RESIZE = 2,   /* rest: death of what it was; a number follows: request */
	TRACE_OTHER = 3,    /* rest: enum trace_other */
};

enum trace_other {
	TRACE_TIME,   /* number: microseconds since the last one, or the chunk's start */
	TRACE_THREAD, /* number: of the thread whose events follow */
	TRACE_MARK,   /* text: a name that the user gave this moment */
	TRACE_GAP,    /* number: events lost here */
	TRACE_STRAY, /* a free of what was allocated before recording began, or not recorded */
	TRACE_MAP,     /* number: request; a mapping by the program itself */
	TRACE_UNMAP,   /* number: bytes unmapped of what was so mapped */
	TRACE_PAUSE,   /* recording was stopped */
	TRACE_RESUME,  /* and went on */
	TRACE_EXECUTE, /* text: the program that the process executed; ends its chunk */
	TRACE_NR_OTHERS,
};

/* How long a block lived: the number of these that its life in microseconds is not below. */
#define TRACE_LIFE_LIMITS_US                                                             \
	{                                                                                \
		1000, 10000, 100000, 1000000, 10000000, 100000000, 1000000000            \
	}
#define TRACE_NR_LIVES 8u

#endif
