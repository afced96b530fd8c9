/*
 * rings: the rings of a session as one stream of records in order of time, in rounds.
 *
 * A round reads the clock first (its *horizon*), then how far each ring is written, and takes
 * the records up to the horizon: what is stamped before it and has led to something else that
 * is stamped before it was published by then, so that records come out in order. Later ones wait
 * for the next round.
 *
 * A ring with something in it that is no record is abandoned: what its thread writes there is
 * thrown away unread, until another thread gets the ring.
 */
#ifndef SEEP_RECORD_RINGS_H
#define SEEP_RECORD_RINGS_H

#include "base/error.h"
#include "record/records.h"
#include "record/session.h"

/* What seep knows of a ring; it does not rely on what stands in the ring's own header. */
struct ring_progress {
	struct ring *ring;
	uint64_t tail;      /* words read */
	uint64_t published; /* of them, those that the program was told of */
	uint64_t head;      /* as far as this round goes */
	uint64_t last_time; /* records do not go back before it */
	uint64_t lost;      /* events that were told by gaps */
	uint32_t thread;    /* plus one; 0: none began yet */
	bool is_active;     /* in this round */
	bool has_ended;     /* its thread has, before the round */
	bool is_abandoned;
};

/* A ring with a record up to the horizon; `time` is the record's. */
struct ring_cursor {
	uint64_t time;
	uint32_t ring;
};

struct rings {
	struct record_session *session;
	struct ring_progress *states; /* SESSION_RINGS of them; `ring` once looked at */
	struct ring_cursor *heap;     /* the earliest comes first */
	uint32_t nr_heap;
	uint32_t nr_rings; /* of this round */
	uint32_t nr_nodes; /* known in this round; all of them below it */
	uint32_t nr_threads;
	uint64_t horizon;
	uint64_t fullest_words; /* of a ring at the start of the round */
	uint64_t nr_abandoned;  /* since the beginning */
	bool no_memory;         /* a ring could not be looked at */
	uint64_t untold_lost; /* events lost in rings whose thread told no gap; take it */
};

struct error *rings_init(struct rings *rings, struct record_session *session) MUST_CHECK;
void rings_deinit(struct rings *rings);
/* Goes on with those of another session; threads are counted on. */
void rings_change(struct rings *rings, struct record_session *session);

/* `horizon`: the ticks of just now. */
void rings_begin_round(struct rings *rings, uint64_t horizon);
/* At most `nr` records; 0: the round has no more. A LOAD comes last in what is returned and
   has filled *load. */
size_t rings_take(struct rings *rings, struct record *records, size_t nr,
		  struct record_load *load);
/* Makes room for the threads, and gives back the rings of those that have ended. */
void rings_end_round(struct rings *rings);

/* Whether nothing waits in any ring. */
bool rings_are_empty(const struct rings *rings);
/* After the last round: counts what rings in use have lost without a gap. */
void rings_count_lost(struct rings *rings);

#endif
