/*
 * trace_reader: a trace file, event by event, which is never trusted. doc/FORMAT.md, "Traces".
 *
 * The tables (code, nodes, requests, threads, names) grow as the file is read: what an event
 * refers to is there when the event is. Every number is checked: a request, node or thread that
 * was not told before, or a free of a request that has no live block, is damage, and the error
 * names the file, the chunk and its offset. A file that ends early is none: events end there, and
 * trace_reader_is_cut() says so. Memory is bounded by the tables.
 *
 * When another program was executed no block lives any more; what requests, deaths and threads
 * there were until then are not met again.
 *
 * Where events were lost, the allocation may be among them: then a free without a live block is
 * told as one of a block that was not recorded, and such a resize as an allocation.
 */
#ifndef SEEP_SNAP_TRACE_READER_H
#define SEEP_SNAP_TRACE_READER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/map.h"
#include "base/vec.h"
#include "snap/trace.h"

/* Set in the address of a node that is the very instruction, not the one after a call. */
#define TRACE_EXACT ((uint64_t)1 << 63)

/* Of whom, when, how. Texts are owned and may be NULL. */
struct trace_run {
	uint64_t start_ns; /* since 1970 */
	uint64_t pid, min_size, flags, max_frames;
	char *name, *path, *host, *boot_id, *version;
	char **arguments; /* ended by NULL */
};

enum trace_run_flags {
	TRACE_RUN_ADDRESSES = 1 << 0,
	TRACE_RUN_DROPS = 1 << 1, /* what was full dropped events */
};

/* A piece of code: nodes from first_node up to end_node with addresses in it are of it. */
struct trace_code {
	uint64_t start, end, bias;
	uint64_t first_node, end_node; /* UINT64_MAX: it was not unloaded */
	char *path, *build_id;         /* owned; NULL: not known */
	bool is_executed; /* the first of a program that another executed: its own */
};

struct trace_node {
	uint64_t address; /* bit 63: TRACE_EXACT */
	uint32_t parent;
};

struct trace_request {
	uint64_t size;
	uint32_t node;
	uint32_t live; /* blocks; once they were UINT32_MAX they stay so many */
};

#define TRACE_BY_ITSELF UINT32_MAX /* the thread that frees it allocated it */

struct trace_death {
	uint32_t request;
	uint32_t thread; /* that allocated it: its number, or TRACE_BY_ITSELF */
	uint32_t marks;  /* since it was allocated */
	uint8_t life;    /* below TRACE_NR_LIVES */
	bool is_temporary;
};

/* A name that the file has for a node: frames[first_frame…], innermost first. */
struct trace_name {
	uint32_t node, first_frame, nr_frames;
};

struct trace_frame {
	const char *function, *file; /* of the trace; NULL: none */
	uint64_t line;               /* 0: not known */
};

struct trace_summary {
	uint64_t flags; /* enum trace_summary_flags */
	uint64_t code;  /* exit code or signal */
	uint64_t duration_us, allocations, frees, lost, bytes;
	uint64_t peak_bytes, peak_us, live_bytes, live_blocks, temporary;
	uint64_t executions, replaced_blocks, replaced_bytes;
};

enum trace_summary_flags {
	TRACE_EXITED = 1 << 0,
	TRACE_KILLED = 1 << 1,
	TRACE_TO_THE_END = 1 << 2,
};

DEFINE_VEC(trace_code_vec, struct trace_code);
DEFINE_VEC(trace_node_vec, struct trace_node);
DEFINE_VEC(trace_request_vec, struct trace_request);
DEFINE_VEC(trace_death_vec, struct trace_death);
DEFINE_VEC(trace_thread_vec, uint64_t);
DEFINE_VEC(trace_name_vec, struct trace_name);
DEFINE_VEC(trace_frame_vec, struct trace_frame);
DEFINE_VEC(trace_text_vec, char *);

/* All that stands in the file beside events. Node 0 is no call. */
struct trace {
	struct trace_run run;
	struct trace_code_vec code;
	struct map
		loaded_at; /* by start, what was loaded last there: its number plus one */
	struct trace_node_vec nodes;
	struct trace_request_vec requests;
	struct trace_death_vec deaths;
	struct trace_thread_vec threads; /* ids, by number */
	struct trace_name_vec names;     /* by ascending node */
	struct trace_frame_vec frames;
	struct trace_text_vec texts; /* of the frames */
	struct trace_summary summary;
	bool has_summary;
	bool is_executing; /* the code of another program is about to come */
};

enum trace_event_kind {
	TRACE_ALLOCATED,
	TRACE_FREED,
	TRACE_RESIZED,
	TRACE_TIME_PASSED, /* `time_us` or `thread` is another than before */
	TRACE_MARKED,
	TRACE_LOST,
	TRACE_STRAYED,
	TRACE_MAPPED,
	TRACE_UNMAPPED,
	TRACE_PAUSED,
	TRACE_RESUMED,
	TRACE_EXECUTED, /* all blocks and mappings are gone */
	TRACE_ENDED,    /* no more events */
};

/* What happened. Fields that a kind does not name are of an earlier event. */
struct trace_happening {
	enum trace_event_kind kind;
	uint64_t time_us;                /* since the start of the run */
	uint32_t thread;                 /* number */
	uint32_t request;                /* allocated, resized: the new one; mapped */
	const struct trace_death *death; /* freed, resized: valid until the next event */
	uint64_t number;                 /* lost: events; unmapped: bytes */
	char *mark;       /* marked: valid until the next event; "" if it has no name */
	char *program;    /* executed: likewise */
	uint64_t address; /* allocated, resized: of the new block, if kept */
	uint64_t old_address; /* freed, resized: of the one that goes, if kept */
};

/* The number of the thread that allocated what is freed or resized. */
static inline uint32_t trace_owner(const struct trace_happening *event)
{
	uint32_t thread = event->death->thread;
	return thread == TRACE_BY_ITSELF ? event->thread : thread;
}

struct trace_reader; /* opaque */

struct error *trace_reader_open(const char *path,
				struct trace_reader **result) MUST_CHECK;
void trace_reader_close(struct trace_reader *reader);

/* Valid as long as the reader; its arrays move as it is read. */
const struct trace *trace_reader_trace(const struct trace_reader *reader);

/*
 * Before the first event: events are to be told with their addresses. A trace that was recorded
 * without them is refused. One that was cut between events and their addresses ends before these
 * events.
 */
struct error *trace_reader_keep_addresses(struct trace_reader *reader) MUST_CHECK;

/* The next event. */
struct error *trace_reader_next(struct trace_reader *reader,
				struct trace_happening *event) MUST_CHECK;

/* Where the chunk begins in the file that the event at hand is of. */
uint64_t trace_reader_offset(const struct trace_reader *reader);

/* After the last event: whether the file ended before its end was told. */
bool trace_reader_is_cut(const struct trace_reader *reader);

#endif
