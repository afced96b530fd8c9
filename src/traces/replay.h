/*
 * replay: the events of a trace in one pass, counted by a key: the request (size and stack),
 * the thread that allocated, or the generation (the time between two marks) of each block.
 *
 * What was live at the peak is exact for every key without a copy of all of them at each new
 * maximum: the peak has an epoch, which goes on when the total exceeds its maximum; a key
 * writes down what it held before its first change after that. A key that was not changed since
 * holds what it held at the peak.
 *
 * Only what happens in the window counts; with a thread, only blocks that it allocated, whoever
 * frees them. A trace does not tell when a block that is freed was allocated, but only after how
 * many marks: in a window that begins at a mark, blocks from before do not count. In one that
 * begins at a time they do when they end, so that what lives is what it grew by since then, and
 * may be less than nothing: such numbers are modulo 2^64, to be taken as int64_t.
 *
 * A resize is the end of one block and an allocation of another.
 *
 * When another program is executed nothing lives any more, which is no free, and what grows in a
 * window grows from nothing again.
 */
#ifndef SEEP_TRACES_REPLAY_H
#define SEEP_TRACES_REPLAY_H

#include "base/area.h"
#include "base/error.h"
#include "base/vec.h"
#include "snap/trace_reader.h"
#include "traces/history.h"
#include "traces/timeline.h"

enum replay_key { REPLAY_BY_REQUEST, REPLAY_BY_THREAD, REPLAY_BY_MARK };

/* A moment of the run: a time, or where a mark was made. */
struct replay_moment {
	bool is_set;
	const char *mark; /* NULL: `time_us` counts */
	uint64_t time_us;
};

struct replay_options {
	enum replay_key key;
	struct replay_moment from, to; /* not set: the start, the end */
	bool one_thread;
	uint64_t thread;      /* its id */
	uint64_t large_bytes; /* allocations of so many are listed; 0: none */
	bool has_address; /* its history is kept, the last so many events; the reader */
	uint64_t address; /* keeps addresses then */
	uint32_t most_events; /* 0: all */
};

/*
 * What there is of one key; half of it is here, so that it fits a cache line. What changes
 * together does not stand side by side: compilers would add both in one vector, which waits for
 * the single stores of the event before (here that made every event half as long again).
 */
struct tally {
	uint64_t allocations, temporary, bytes;
	uint64_t
		peak; /* of `epoch`, as peak_bytes; replay_run() makes them true for all */
	uint64_t live, epoch, live_bytes, peak_bytes;
};

struct tally_more {
	uint64_t resizes, grown_bytes; /* by resizes that made a block larger */
	uint64_t largest_bytes;
	uint32_t lifetimes[TRACE_NR_LIVES]; /* blocks that ended */
};

/* A single large allocation. */
struct replay_large {
	uint64_t size, born_us, freed_us; /* UINT64_MAX: it lives at the end */
	uint32_t request, thread, generation;
};
DEFINE_VEC(replay_large_vec, struct replay_large);

struct replay_mark {
	char *name; /* owned */
	uint64_t time_us;
	uint64_t live_bytes;
};
DEFINE_VEC(replay_mark_vec, struct replay_mark);

/* Another program in the same process, and what of the one before was live. */
struct replay_execution {
	char *program; /* owned */
	uint64_t time_us;
	uint64_t blocks, bytes; /* as `live` of the totals */
};
DEFINE_VEC(replay_execution_vec, struct replay_execution);

struct replay_totals { /* in an order as in struct tally */
	uint64_t allocations, resizes, bytes, frees;
	uint64_t live, peak, live_bytes, peak_bytes, peak_us;
	uint64_t temporary;
	uint64_t strays, lost;
	uint64_t maps, mapped_bytes, unmapped_bytes;
	uint64_t pauses; /* of the recording */
	uint64_t lifetimes[TRACE_NR_LIVES];
};

/* A zeroed struct is empty. */
struct replay {
	struct replay_totals totals;
	struct area tallies, more; /* struct tally, struct tally_more; by key */
	uint32_t nr_keys;
	struct timeline timeline;
	uint64_t start_us, end_us; /* of the window, as far as there were events */
	bool begun, is_cut;
	struct replay_mark_vec marks;           /* up to the end of the window */
	struct replay_execution_vec executions; /* in the window */
	struct replay_large_vec large; /* as they came; at most REPLAY_MAX_LARGE */
	uint64_t large_left_out;
	struct history history; /* if asked for */
};

#define REPLAY_MAX_LARGE 65536u

/* Reads to the end of the window and, for the tables, on to the end of the file. */
struct error *replay_run(struct trace_reader *reader,
			 const struct replay_options *options,
			 struct replay *replay) MUST_CHECK;
void replay_deinit(struct replay *replay);

static inline const struct tally *replay_tally(const struct replay *replay, uint32_t key)
{
	return (const struct tally *)replay->tallies.memory + key;
}

static inline const struct tally_more *replay_more(const struct replay *replay,
						   uint32_t key)
{
	return (const struct tally_more *)replay->more.memory + key;
}

/* Whether there was anything of a key in the window. Where another program was executed, all that
   there was may be ends of older blocks. */
static inline bool replay_has(const struct replay *replay, uint32_t key)
{
	const struct tally *tally = replay_tally(replay, key);
	bool has = tally->allocations || tally->live;
	for (unsigned life = 0; !has && life < TRACE_NR_LIVES; life++)
		has = replay_more(replay, key)->lifetimes[life];
	return has;
}

#endif
