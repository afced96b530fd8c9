/*
 * trace_writer: makes a trace file, event by event. doc/FORMAT.md, "Traces".
 *
 * What an event refers to (nodes, requests, threads, code) is told before the event; it is
 * kept until the next chunk of events, and written before that. A chunk is written when it has
 * a MiB, and by trace_writer_flush(). Whatever was written is in the file under its name, and
 * readable, if the process then ends in any way.
 *
 * When writing fails the writer takes what follows and throws it away; the error comes from
 * the next flush, once.
 */
#ifndef SEEP_SNAP_TRACE_WRITER_H
#define SEEP_SNAP_TRACE_WRITER_H

#include <stdint.h>

#include "base/error.h"
#include "snap/trace.h"

struct trace_writer; /* opaque */

/* The chunk "run", in the order of the file. */
struct trace_writer_run {
	uint64_t start_ns, pid, min_size, flags, max_frames;
	const char *name, *path, *host, *boot_id, *version; /* NULL: unknown */
	char *const *arguments;                             /* NULL-terminated */
};

enum trace_writer_run_flags {
	TRACE_WRITER_ADDRESSES = 1 << 0,
	TRACE_WRITER_DROPS = 1 << 1,
};

/* The chunk "summary", in the order of the file. */
struct trace_writer_summary {
	uint64_t flags, code, duration_us;
	uint64_t allocations, frees, lost, bytes;
	uint64_t peak_bytes, peak_us, live_bytes, live_blocks, temporary;
	uint64_t executions, replaced_blocks, replaced_bytes;
};

enum trace_writer_summary_flags {
	TRACE_WRITER_EXITED = 1 << 0,
	TRACE_WRITER_KILLED = 1 << 1,
	TRACE_WRITER_TO_THE_END = 1 << 2,
};

/* When and by whom. Times never go back. */
struct trace_writer_moment {
	uint64_t us; /* since the start of the run */
	uint32_t thread;
};

/* From here on the file is there. */
struct error *trace_writer_create(const char *path, const struct trace_writer_run *run,
				  struct trace_writer **result) MUST_CHECK;
/* What was not flushed is not in the file. */
void trace_writer_destroy(struct trace_writer *writer);

/* These get the numbers 1 (node 0 is no call), 0, 0 and 0, and so on. */
void trace_writer_node(struct trace_writer *writer, uint64_t parent, uint64_t address);
void trace_writer_request(struct trace_writer *writer, uint64_t size, uint64_t node);
void trace_writer_death(struct trace_writer *writer, uint64_t request, uint64_t flags,
			uint64_t thread);
void trace_writer_thread(struct trace_writer *writer, uint64_t tid);

struct trace_writer_code {
	uint64_t first_node, start, end, bias;
	const char *path, *build_id; /* NULL: not known */
};
void trace_writer_load(struct trace_writer *writer, const struct trace_writer_code *code);
void trace_writer_unload(struct trace_writer *writer, uint64_t first_node,
			 uint64_t start);

/* Where a resized block was and is. */
struct trace_writer_move {
	uint64_t from, to;
};

/* Addresses count only if the run says so: of the new block, and of the one that goes. */
void trace_writer_allocate(struct trace_writer *writer,
			   const struct trace_writer_moment *moment, uint32_t request,
			   uint64_t address);
void trace_writer_free(struct trace_writer *writer,
		       const struct trace_writer_moment *moment, uint32_t death,
		       uint64_t address);
void trace_writer_resize(struct trace_writer *writer,
			 const struct trace_writer_moment *moment, uint32_t death,
			 uint32_t request, const struct trace_writer_move *move);
/* `number` counts where doc/FORMAT.md has one. Not for TRACE_TIME, TRACE_THREAD, TRACE_MARK. */
void trace_writer_other(struct trace_writer *writer,
			const struct trace_writer_moment *moment, enum trace_other what,
			uint64_t number);
void trace_writer_mark(struct trace_writer *writer,
		       const struct trace_writer_moment *moment, const char *name);

/* The process executed another program: all blocks and mappings are gone, and no request, node or
   thread that was told before is named by a later event. */
void trace_writer_execute(struct trace_writer *writer,
			  const struct trace_writer_moment *moment, const char *program);

/* Writes what there is. */
struct error *trace_writer_flush(struct trace_writer *writer) MUST_CHECK;
/* Flushes, and ends the file with a summary. */
struct error *trace_writer_finish(struct trace_writer *writer,
				  const struct trace_writer_summary *summary) MUST_CHECK;

/* The file's descriptor, which stays the writer's. */
int trace_writer_fd(const struct trace_writer *writer);
/* Bytes of the file so far. */
uint64_t trace_writer_size(const struct trace_writer *writer);

#endif
