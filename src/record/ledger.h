/*
 * ledger: keeps the books of a program's memory by the records of its threads: which free is of
 * which allocation, what is live, totals; and tells a trace of it.
 *
 * Records come in order of time, nearly: stamps of two processors may be off by some hundred
 * nanoseconds, and of a block that realloc() moved the old place may have been given out again
 * before the record says so. So that what belongs together is not torn apart:
 *
 * - An allocation at the address of a live block says that the free of that one is on its way.
 *   The block lives on, aside, until it comes, or until it has not come for a while.
 * - A free of an address where nothing lives waits for two rounds. An allocation of another
 *   thread that is hardly later is of the block that it freed. If none comes, it was of a
 *   block that was not recorded.
 */
#ifndef SEEP_RECORD_LEDGER_H
#define SEEP_RECORD_LEDGER_H

#include "base/error.h"
#include "base/vec.h"
#include "record/accounts.h"
#include "record/blocks.h"
#include "record/clock.h"
#include "record/loaded.h"
#include "record/mappings.h"
#include "record/records.h"
#include "record/requests.h"
#include "snap/trace_writer.h"

struct ledger_totals {
	uint64_t allocations; /* resizes are one each */
	uint64_t frees;       /* of blocks that were recorded */
	uint64_t strays;      /* frees of others */
	uint64_t bytes;       /* allocated in all */
	uint64_t live_bytes, live_blocks;
	uint64_t peak_bytes, peak_us;
	uint64_t temporary;  /* freed by the next event of their thread */
	uint64_t lost;       /* events */
	uint64_t implied;    /* frees that never came */
	uint64_t executions; /* of other programs, which were recorded too */
	uint64_t replaced_bytes, replaced_blocks; /* that were live at those */
};

/* A block whose address was given to another before its free came. */
struct ledger_aside {
	uint64_t address;
	uint64_t until;  /* ticks: the other's allocation */
	uint32_t thread; /* that made it */
	struct birth birth;
};
DEFINE_VEC(ledger_aside_vec, struct ledger_aside);

/* A free that came before the allocation. */
struct ledger_early {
	uint64_t address, time;
	uint64_t round; /* that it came in */
	uint32_t thread;
};
DEFINE_VEC(ledger_early_vec, struct ledger_early);

/* What a thread did last: the address of the block that it got, 0 for anything else. */
DEFINE_VEC(ledger_last_vec, uint64_t);

/* A block that is live, for others. */
struct recorded_block {
	uint64_t address, size;
	uint32_t node; /* of its stack */
};
DEFINE_VEC(recorded_block_vec, struct recorded_block);

struct ledger {
	struct trace_writer *trace; /* NULL: none is wanted; not owned */
	struct accounts *accounts;  /* by request; NULL: not wanted; not owned */
	struct loaded_vec *loaded;  /* code; NULL: not wanted; not owned */
	const struct record_clock *clock;
	struct ledger_totals totals;
	struct blocks blocks;
	struct requests requests;
	struct deaths deaths;
	struct mapping_vec mappings;
	struct ledger_aside_vec aside;
	uint64_t aside_filter; /* a bit for each of their addresses; see ledger.c */
	struct ledger_early_vec early;
	size_t first_early;          /* of those that still wait */
	uint32_t early_base;         /* the number of early.items[0] */
	struct ledger_last_vec last; /* by thread */
	uint64_t marks;
	struct trace_writer_moment now; /* of the last event */
	uint64_t now_ticks;             /* the same, as it was stamped */
	uint64_t aged_us;               /* when blocks_age() was called */
	uint64_t round;
	bool executed; /* a record said that another program follows, if it can be executed */
	bool is_executing; /* that program is there, and its code is about to come */
	bool no_memory;    /* it ran out: nothing is true any more */
};

/* A zeroed ledger with its trace and clock set is ready. */
void ledger_deinit(struct ledger *ledger);

/* `load` is of a LOAD alone. */
void ledger_enter(struct ledger *ledger, const struct record *record,
		  const struct record_load *load);
/* Between the records of two rounds; `now` in ticks. */
void ledger_end_round(struct ledger *ledger, uint64_t now);
/* No record will come any more: what waits is settled. */
void ledger_finish(struct ledger *ledger);

/* Another program is there, and the blocks and mappings of the one before, and its code, are
   gone. Its nodes are `first_node` and later ones. Settles what waits. */
void ledger_replace(struct ledger *ledger, const char *program, uint32_t first_node);

/* Events were lost that no thread told of. */
void ledger_lose(struct ledger *ledger, uint64_t nr_events);

/* Something that happens outside of all threads, at a time in microseconds: TRACE_PAUSE or
   TRACE_RESUME, or a mark. False before the first thread, when nothing can happen yet. */
bool ledger_note(struct ledger *ledger, uint64_t us, enum trace_other what);
bool ledger_mark(struct ledger *ledger, uint64_t us, const char *name);

/* What is live now, in no order; false when memory ran out. */
bool ledger_live(const struct ledger *ledger, struct recorded_block_vec *blocks);

/* Gets what a record may need from memory, without asking of what type it is. */
PREFETCH void ledger_prefetch(const struct ledger *ledger, const struct record *record)
{
	blocks_prefetch(&ledger->blocks, record->address);
	blocks_prefetch(&ledger->blocks, record->new_address);
	requests_prefetch(&ledger->requests, record->size, record->node);
}

#endif
