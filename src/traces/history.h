/*
 * history: what happened to one address: every block that had it, from the events of a trace
 * that keeps addresses.
 *
 * A block has an address if this is one of the bytes that were asked for; a block of none has
 * the one where it stands. One block at a time has it, or some when the free of one came late (see
 * record/ledger.h): the end of one is told from that of another by its size, stack and thread, or by its age.
 *
 * Memory is bounded: the last `most` events are kept, and the blocks that have the address now.
 */
#ifndef SEEP_TRACES_HISTORY_H
#define SEEP_TRACES_HISTORY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/vec.h"
#include "snap/trace_reader.h"

struct history_block {
	uint64_t address, born_us;
	uint32_t request;
	uint32_t thread;     /* that allocated it */
	uint32_t generation; /* how many marks there had been */
};
DEFINE_VEC(history_block_vec, struct history_block);

enum history_kind {
	HISTORY_ALLOCATED,
	HISTORY_FREED,
	HISTORY_RESIZED,
	HISTORY_EXECUTED, /* another program: no block has the address any more */
};

/* Of a resize one of the blocks, or both, have the address; of an execution one or none. */
struct history_event {
	enum history_kind kind;
	uint64_t time_us;
	uint32_t thread;
	uint32_t execution; /* which of those in the window it is, if it is one */
	bool has_ended, has_begun;
	struct history_block ended, begun;
};
DEFINE_VEC(history_event_vec, struct history_event);

/* Begins zeroed but for the first two. */
struct history {
	uint64_t address;
	uint32_t most;                   /* events to keep; 0: all */
	uint64_t nr_events, nr_blocks;   /* in the window */
	uint32_t nr_executions;          /* likewise */
	struct history_event_vec events; /* a ring, once there are more */
	struct history_block_vec live;   /* that have the address now */
};

/* What of an event is to be looked at, and where in the run it is. */
struct history_scope {
	uint32_t generation; /* marks so far */
	bool is_open;        /* what happens now counts */
	bool new_counts;     /* so does the block that begins: it is of the thread */
};

/* False when memory ran out. */
bool history_see(struct history *history, const struct trace *trace,
		 const struct trace_happening *event, struct history_scope scope);
/* The window begins: blocks that have the address now are in it. */
void history_open(struct history *history);

/* The kept events by age, the oldest first. */
size_t history_nr_kept(const struct history *history);
const struct history_event *history_kept(const struct history *history, size_t i);

void history_deinit(struct history *history);

#endif
