/*
 * ring: words from one thread of the program to seep, without locks.
 *
 * head and tail count words that were ever written and read; head - tail are waiting. A record
 * (wire/event.h) never has a gap in its middle: the words simply wrap around. The producer
 * publishes whole records with a release store of head; seep reads head with acquire.
 *
 * A ring belongs to a thread from RING_FREE to RING_ENDED, which the thread (or who ends it)
 * sets; seep gives it back when it has read all of it.
 */
#ifndef SEEP_RAW_RING_H
#define SEEP_RAW_RING_H

#include "raw/session.h"

enum ring_state { RING_FREE, RING_USED, RING_ENDED };

#define RING_HEADER_BYTES 4096u
/* A power of two, so that a position is a mask away. */
#define RING_WORDS 32768u

struct ring {
	/* The thread writes. */
	_Alignas(64) _Atomic uint64_t head;
	_Atomic uint32_t state;  /* enum ring_state; seep: RING_ENDED to RING_FREE only */
	_Atomic int32_t tid;     /* as the program sees it */
	_Atomic uint64_t lost;   /* events, since the thread began */
	_Atomic uint32_t waits;  /* a futex: 1 while the thread waits for room */
	_Atomic uint32_t inside; /* raw/solo.h */
	/* seep writes. */
	_Alignas(64) _Atomic uint64_t tail;
	_Alignas(RING_HEADER_BYTES) uint64_t words[RING_WORDS];
};
static_assert(sizeof(struct ring) <= SESSION_RING_BYTES, "it fits its place");

static inline uint64_t *ring_word(struct ring *ring, uint64_t position)
{
	return &ring->words[position & (RING_WORDS - 1)];
}

#endif
