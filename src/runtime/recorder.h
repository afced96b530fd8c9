/*
 * recorder: what a hook does besides the call itself. Every hook has one shape:
 *
 *	if (!recorder_enter(RECORDER_HOOK))
 *		return real.malloc(size);
 *	void *block = real.malloc(size);
 *	if (block)
 *		record_allocation(block, size);
 *	recorder_leave();
 *	return block;
 *
 * recorder_enter() is false wherever nothing is to be recorded: no session, seep is gone, this is a
 * forked child, or the call comes from inside the allocator. Nothing here calls malloc, takes a
 * lock that somebody may hold for long, or leaves errno changed.
 *
 * A signal's handler may call hooks while the thread is inside one. What it does is kept aside
 * (without a stack), and follows the interrupted event in the ring; what does not fit is counted
 * and told by a gap.
 */
#ifndef SEEP_RUNTIME_RECORDER_H
#define SEEP_RUNTIME_RECORDER_H

#include "raw/solo.h"
#include "raw/stack_table.h"
#include "raw/windows.h"
#include "unwind/here.h"
#include "wire/event.h"

#define LIKELY(condition)   __builtin_expect(!!(condition), 1)
#define UNLIKELY(condition) __builtin_expect(!!(condition), 0)

enum phase {
	PHASE_IDLE,
	PHASE_CALLING,   /* inside a hook, before or in the real call */
	PHASE_RECORDING, /* inside a hook; calls nothing that is hooked */
	PHASE_ASIDE, /* inside a hook that a signal's handler called in one of these */
};

#define WORDS_AHEAD  48u /* some ten events */
#define ASIDE_EVENTS 32u
#define ASIDE_WORDS  5u /* of the longest event but LOAD */

/* A record. */
struct words {
	uint32_t nr;
	uint64_t w[ASIDE_WORDS];
};

/* What a thread has while it owns a ring; it is found again with the ring. */
struct thread {
	struct ring *ring;
	uint32_t number; /* of the ring */
	uint64_t head;
	uint64_t limit;     /* head may go up to here unseen; 0 with a gap to be told */
	uint64_t last_time; /* of the last record */
	struct unwind_thread *unwind;
	uint64_t gap;      /* events lost and not yet told */
	uint32_t patience; /* turns of waiting for room, even where events are dropped */
	bool met_unknown_code;
	volatile uint32_t nr_aside;
	uint32_t nr_told_aside; /* of these, in the ring by now */
	struct words aside[ASIDE_EVENTS];
};

struct self {
	struct thread *thread;                /* NULL: has no ring */
	uintptr_t frame;                      /* of the hook that is entered */
	uintptr_t frame_aside;                /* of the handler's */
	volatile uint8_t phase, phase_before; /* enum phase */
	bool ended; /* its key was destroyed; rings are only for an event each */
	/* The stack of handlers that the kernel does not tell of while one runs there. */
	uintptr_t disarmed_low, disarmed_bytes;
};
extern _Thread_local struct self self;

struct recorder {
	/* One word on a page that a fork wipes: 0 when nothing is to be recorded. */
	_Atomic uint32_t *alive;
	struct session *session;
	struct windows windows;
	struct stack_table *stacks;
	struct unwind *unwind;
	bool decided;             /* whether to record: the answer is *alive */
	_Atomic bool has_threads; /* more than one, now or once */
	/* New threads may have stacks without a guard below, but for the main one. */
	_Atomic bool has_bare_stacks;
};
extern struct recorder recorder;

/* Looks for a session and joins it; false if there is none to join, or it is too early to know. */
bool recorder_join(void);
/* The program is about to forbid itself system calls: there are none of ours from here on, but for
   what memory is there now. */
void recorder_shut(void);
/* Nothing is recorded any more, for ever. */
void recorder_stop(void);
/* The same, and seep is told why. */
void recorder_give_up(enum session_trouble trouble);

/* Where a hook is; a macro since it is about the function that it stands in. */
#define RECORDER_HOOK                                                                    \
	(uintptr_t) __builtin_frame_address(0), (uintptr_t)__builtin_return_address(0)

bool recorder_enter_nested(uintptr_t frame, uintptr_t caller);
void recorder_leave_aside(void);
void recorder_finish_leaving(void);

static inline bool recorder_is_on(void)
{
	if (UNLIKELY(!atomic_load_explicit(recorder.alive, memory_order_relaxed)))
		return UNLIKELY(!recorder.decided) && recorder_join();
	const struct session *session = recorder.session;
	if (UNLIKELY(!session_is_alive(session) ||
		     atomic_load_explicit(&session->state, memory_order_relaxed) ==
			     SESSION_OVER)) {
		recorder_stop();
		return false;
	}
	return LIKELY(atomic_load_explicit(&session->recording, memory_order_relaxed));
}

static inline bool recorder_enter(uintptr_t frame, uintptr_t caller)
{
	if (!recorder_is_on())
		return false;
	if (UNLIKELY(self.phase != PHASE_IDLE))
		return recorder_enter_nested(frame, caller);
	self.frame = frame;
	self.phase = PHASE_CALLING;
	return true;
}

static inline void recorder_leave(void)
{
	if (UNLIKELY(self.phase == PHASE_ASIDE)) {
		recorder_leave_aside();
		return;
	}
	self.phase = PHASE_IDLE;
	if (UNLIKELY(self.thread && (self.thread->nr_aside || self.ended)))
		recorder_finish_leaving();
}

/* The calling thread with a ring; NULL if there is none for it. */
struct thread *thread_begin(void);
/* Tells of code that a stack was the first to show. True if other code went: that stack is to be
   walked again, since it may have nodes that mean the other. */
bool thread_put_new_code(struct thread *thread, uint64_t time);
/* The processor that seep ran on has the line last: it takes a while to come. */
static inline __attribute__((always_inline)) void fetch_for_writing(const void *line)
{
#if defined(__x86_64__)
	__asm__ volatile("prefetchw %0" : : "m"(*(const char *)line));
#else
	__builtin_prefetch(line, 1);
#endif
}

/* Publishes words that there is room for. */
static inline __attribute__((always_inline)) void thread_publish_words(
	struct thread *thread, const uint64_t *words, uint32_t nr_words)
{
	struct ring *ring = thread->ring;
	uint64_t head = thread->head;
	for (uint32_t i = 0; i < nr_words; i++)
		*ring_word(ring, head + i) = words[i];
	fetch_for_writing(ring_word(ring, head + WORDS_AHEAD));
	/* In a child that was forked by a handler just now, the ring is its parent's. */
	if (UNLIKELY(!atomic_load_explicit(recorder.alive, memory_order_relaxed)))
		return;
	thread->head = head + nr_words;
	atomic_store_explicit(&ring->head, head + nr_words, memory_order_release);
	solo_leave(ring);
}

/* The same of a record, with its time. */
static inline __attribute__((always_inline)) void thread_publish(struct thread *thread,
								 const uint64_t *words,
								 uint32_t nr_words)
{
	thread->last_time = words[1];
	thread_publish_words(thread, words, nr_words);
}

/* Publishes one record, of any size. */
void thread_put(struct thread *thread, const uint64_t *words, uint32_t nr_words);
/* Of a hook that was entered, where anything is unusual. */
void recorder_put_with_care(uint32_t nr_words, uint64_t first, uint64_t time,
			    uint64_t third, uint64_t fourth, uint64_t fifth);

/* Of a hook that was entered: publishes its event, so many of the words. Never by address, so
   that they stay in registers. */
static inline __attribute__((always_inline)) void recorder_put(
	uint32_t nr_words, uint64_t first, uint64_t time, uint64_t third, uint64_t fourth,
	uint64_t fifth)
{
	struct thread *thread = self.thread;
	if (UNLIKELY(self.phase == PHASE_ASIDE || !thread || thread->nr_aside ||
		     thread->head + nr_words > thread->limit)) {
		recorder_put_with_care(nr_words, first, time, third, fourth, fifth);
		return;
	}
	self.phase = PHASE_RECORDING;
	if (event_may_be_again(first) && LIKELY(time == thread->last_time)) {
		const uint64_t words[ASIDE_WORDS] = { first | EVENT_AGAIN, third };
		thread_publish_words(thread, words, nr_words - 1);
	} else {
		const uint64_t words[ASIDE_WORDS] = { first, time, third, fourth, fifth };
		thread_publish(thread, words, nr_words);
	}
	self.phase = PHASE_CALLING;
}

/* Of a hook that was entered: the thread has a ring, if there is one for it. */
static inline __attribute__((always_inline)) void recorder_begin(void)
{
	if (UNLIKELY(!self.thread && self.phase == PHASE_CALLING)) {
		self.phase = PHASE_RECORDING;
		thread_begin();
		self.phase = PHASE_CALLING;
	}
}

/* Of a hook that was entered: the time of its event: before the real call if it takes a block
   away, after it if it gives one. One thread's events are in order anyway, and the clock would
   cost more than the rest of the event: seep's last look at it will do. */
static inline __attribute__((always_inline)) uint64_t recorder_now(void)
{
	recorder_begin();
	struct thread *thread = self.thread;
	if (atomic_load_explicit(&recorder.has_threads, memory_order_relaxed) &&
	    (UNLIKELY(!thread) ||
	     !solo_enter(recorder.session, thread->ring, thread->number)))
		return event_now_in_order();
	uint64_t ticks =
		atomic_load_explicit(&recorder.session->ticks, memory_order_relaxed);
	return LIKELY(ticks) ? ticks : event_now();
}

/* Of a hook that was entered: the node of its stack, 0 where it cannot be known. */
static inline __attribute__((always_inline)) uint32_t recorder_stack(void)
{
	recorder_begin();
	struct thread *thread = self.thread;
	if (UNLIKELY(self.phase == PHASE_ASIDE || !thread || !thread->unwind))
		return 0;
	self.phase = PHASE_RECORDING;
	struct unwind_registers registers;
	unwind_here(&registers);
	uint32_t node = unwind_stack(thread->unwind, &registers);
	if (UNLIKELY(thread->met_unknown_code) &&
	    thread_put_new_code(thread, event_now()))
		node = unwind_stack(thread->unwind, &registers);
	self.phase = PHASE_CALLING;
	return node;
}

#endif
