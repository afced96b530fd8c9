/* recorder: see recorder.h. This is what a hook seldom comes to: others' events in its middle. */
#include "runtime/recorder.h"

#include <signal.h>

#include "raw/system_call.h"
#include "runtime/real.h"
#include "runtime/recorder_priv.h"

/* The kernel's is no smaller: on x86-64 a red zone of 128 bytes, 512 of FXSAVE and 440 of struct
   rt_sigframe; on aarch64 more than 4 KiB. */
#define SIGNAL_FRAME_BYTES 1024u

_Thread_local struct self self;

static _Atomic uint32_t never_alive;
struct recorder recorder = { .alive = &never_alive };

static void lose_event(void)
{
	atomic_fetch_add_explicit(&recorder.session->lost_events, 1,
				  memory_order_relaxed);
}

static void put_aside(const struct words *words)
{
	struct thread *thread = self.thread;
	if (!thread) {
		lose_event();
		return;
	}
	uint32_t i = thread->nr_aside;
	if (i == ASIDE_EVENTS) {
		thread_lose_event(thread);
		return;
	}
	thread->aside[i] = *words;
	thread->nr_aside = i + 1;
}

/* A handler's hooks may put more aside meanwhile, at any instruction. */
static void put_what_is_aside(struct thread *thread, uint64_t before)
{
	uint32_t i = thread->nr_told_aside;
	for (; i < thread->nr_aside && thread->aside[i].w[1] < before; i++)
		thread_put(thread, thread->aside[i].w, thread->aside[i].nr);
	thread->nr_told_aside = i;
	if (__atomic_compare_exchange_n(&thread->nr_aside, &i, 0, false, __ATOMIC_SEQ_CST,
					__ATOMIC_SEQ_CST))
		thread->nr_told_aside = 0;
}

void recorder_put_with_care(uint32_t nr_words, uint64_t first, uint64_t time,
			    uint64_t third, uint64_t fourth, uint64_t fifth)
{
	const struct words words = { nr_words, { first, time, third, fourth, fifth } };
	if (self.phase == PHASE_ASIDE) {
		put_aside(&words);
		return;
	}
	self.phase = PHASE_RECORDING;
	if (self.thread) {
		put_what_is_aside(self.thread, words.w[1]);
		thread_put(self.thread, words.w, words.nr);
	} else {
		lose_event();
	}
	self.phase = PHASE_CALLING;
}

void recorder_leave_aside(void)
{
	self.phase = self.phase_before;
}

void recorder_finish_leaving(void)
{
	struct thread *thread = self.thread;
	while (thread->nr_aside) {
		self.phase = PHASE_RECORDING;
		put_what_is_aside(thread, UINT64_MAX);
		self.phase = PHASE_IDLE;
	}
	if (self.ended) {
		self.phase = PHASE_RECORDING;
		thread_finish(thread);
		self.phase = PHASE_IDLE;
	}
}

/* Whether a handler, or an exception of the allocator, has jumped out of the hook that was
   entered: then the frame of this one is as far out or further, on the same stack. */
static bool was_jumped_out(uintptr_t frame)
{
	stack_t alternative = { 0 };
	return frame >= self.frame && frame - self.disarmed_low >= self.disarmed_bytes &&
	       system_call(SYS_sigaltstack, 0, (long)&alternative, 0, 0, 0, 0) == 0 &&
	       !(alternative.ss_flags & SS_ONSTACK);
}

/* Whether libc does what it was called for by a function that is hooked, too: an allocator may
   pass calloc() on to it, for instance. A handler's frame is further away. */
static bool is_libcs_own(uintptr_t frame, uintptr_t caller)
{
	uintptr_t outer = self.phase == PHASE_ASIDE ? self.frame_aside : self.frame;
	return caller >= real_libc_low && caller < real_libc_high && frame < outer &&
	       outer - frame < SIGNAL_FRAME_BYTES;
}

bool recorder_enter_nested(uintptr_t frame, uintptr_t caller)
{
	if (caller >= real_allocator_low && caller < real_allocator_high)
		return false;
	if (is_libcs_own(frame, caller))
		return false;
	if (was_jumped_out(frame)) {
		/* The unwinder notices by itself; words that were not published are none. */
		self.frame = frame;
		self.phase = PHASE_CALLING;
		return true;
	}
	if (self.phase == PHASE_ASIDE) {
		if (self.thread)
			thread_lose_event(self.thread);
		return false;
	}
	self.frame_aside = frame;
	self.phase_before = self.phase;
	self.phase = PHASE_ASIDE;
	return true;
}
