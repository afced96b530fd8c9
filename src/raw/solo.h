/*
 * solo: when one thread's events need no clock, though the program has others.
 *
 * To read the clock in order costs more than the rest of a free's hook, and only events of different
 * threads need it. Where one thread alone has recorded for a while, seep makes it solo: its times are
 * session->ticks until another thread records. What makes this exact:
 *
 * - A thread that is to record says that it is inside, looks who is solo, and ends that, unless it is
 *   solo itself, before it reads the clock. So whatever it leads to in the solo thread, which may have
 *   its blocks then, is not solo any more. What it does not lead to has no order that could be
 *   wrong; and session->ticks is from before it.
 * - seep says whom it wants first, which any other thread's event ends, too. Then all processors go
 *   through a barrier (membarrier(2)): who has not seen the wish is seen to be inside, and seep gives it up
 *   for now. If nobody is, all times before were read, and session->ticks becomes a later one.
 */
#ifndef SEEP_RAW_SOLO_H
#define SEEP_RAW_SOLO_H

#include "raw/ring.h"

#define SOLO_NOBODY 0u
#define SOLO_WANTED (1u << 31) /* with a ring's: to be, if nobody else records */

static inline uint32_t solo_of(uint32_t ring)
{
	return ring + 1;
}

/* Of a thread with that ring: it is about to have a time. Whether it is solo. */
static inline __attribute__((always_inline)) bool solo_enter(struct session *session,
							     struct ring *ring,
							     uint32_t number)
{
	atomic_store_explicit(&ring->inside, 1, memory_order_relaxed);
	/* The processor may look first; then seep's barrier comes before or after both. */
	atomic_signal_fence(memory_order_seq_cst);
	uint32_t solo = atomic_load_explicit(&session->solo, memory_order_acquire);
	if (solo == solo_of(number))
		return true;
	if (__builtin_expect(
		    solo != SOLO_NOBODY && solo != (solo_of(number) | SOLO_WANTED), 0))
		atomic_store(&session->solo, SOLO_NOBODY);
	return false;
}

/* What had the time is in the ring. */
static inline __attribute__((always_inline)) void solo_leave(struct ring *ring)
{
	atomic_store_explicit(&ring->inside, 0, memory_order_release);
}

#endif
