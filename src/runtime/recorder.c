/*
 * recorder: see recorder.h.
 *
 * A ring is claimed by a compare-and-swap of its state, lowest first; from then on its words, its
 * head and the `struct thread` of its number are the claimer's alone, until it sets RING_ENDED.
 * A thread ends its turn in the last round of its key's destructors. What it frees after that
 * (libc's own per-thread memory) is a turn by itself for each event.
 */
#include "runtime/recorder.h"

#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "raw/system.h"
#include "runtime/modules.h"
#include "runtime/real.h"

#define WAIT_NS                                                                          \
	50000000 /* seep may have ended: looked at so often while a ring is full */
#define PATIENCE_TURNS 20 /* of WAIT_NS, for what should not be dropped */
#define PAGE           4096u
/* What is mapped in advance where system calls are about to be forbidden. */
#define SHUT_RING_WINDOWS 2u
#define SHUT_NODE_WINDOWS 4u
#define SHUT_TURNS        100000 /* of waiting without a system call */
/* pthread_setspecific(3): a destructor that sets its key again is called so often. */
#define KEY_ROUNDS PTHREAD_DESTRUCTOR_ITERATIONS

_Thread_local struct self self;

static _Atomic uint32_t never_alive;
struct recorder recorder = { .alive = &never_alive };

static struct thread *threads[SESSION_RINGS]; /* by ring; its claimer's */
static pthread_key_t end_key;
static bool has_end_key;

void recorder_stop(void)
{
	atomic_store_explicit(recorder.alive, 0, memory_order_relaxed);
}

static void tell(enum session_trouble trouble)
{
	uint32_t none = SESSION_NO_TROUBLE;
	atomic_compare_exchange_strong(&recorder.session->trouble, &none, trouble);
}

void recorder_give_up(enum session_trouble trouble)
{
	tell(trouble);
	uint32_t joined = SESSION_JOINED;
	atomic_compare_exchange_strong(&recorder.session->state, &joined, SESSION_LEFT);
	recorder_stop();
}

/* Windows that nobody touches cost address space alone. */
void recorder_shut(void)
{
	for (size_t i = 0; i < SHUT_RING_WINDOWS; i++)
		windows_get(recorder.windows.rings, i);
	uint32_t nr_nodes = atomic_load(&recorder.session->nr_nodes);
	for (size_t i = 0; i < SHUT_NODE_WINDOWS; i++)
		windows_node(&recorder.windows, nr_nodes + (uint32_t)(i * WINDOW_NODES));
	system_shut();
}

static void lose_event(void)
{
	atomic_fetch_add_explicit(&recorder.session->lost_events, 1,
				  memory_order_relaxed);
}

static void thread_lose_event(struct thread *thread)
{
	thread->limit = 0;
	thread->gap++;
	atomic_fetch_add_explicit(&thread->ring->lost, 1, memory_order_relaxed);
}

static void wait_for_seep(struct ring *ring, uint64_t tail)
{
	atomic_store(&ring->waits, 1);
	if (atomic_load(&ring->tail) != tail)
		return;
	for (int i = 0; i < SHUT_TURNS && system_is_shut(); i++) {
		if (atomic_load_explicit(&ring->tail, memory_order_relaxed) != tail)
			return;
		system_pause();
	}
	const struct timespec most = { .tv_nsec = WAIT_NS };
	system_call(SYS_futex, (long)&ring->waits, FUTEX_WAIT, 1, (long)&most, 0, 0);
}

static void put_gap(struct thread *thread, uint64_t time)
{
	uint64_t gap = thread->gap;
	thread->gap = 0;
	thread_publish(thread, (uint64_t[]){ event_first(EVENT_GAP, gap), time }, 2);
}

/* Room for so many words; or false, and the event, which is of that time, is counted. */
static bool make_room(struct thread *thread, uint32_t nr_words, uint64_t time)
{
	struct ring *ring = thread->ring;
	uint64_t needed = nr_words + (thread->gap ? 2 : 0);
	for (;;) {
		uint64_t tail = atomic_load_explicit(&ring->tail, memory_order_acquire);
		if (thread->head + needed - tail <= RING_WORDS) {
			thread->limit = tail + RING_WORDS;
			break;
		}
		bool may_drop = recorder.session->on_full == SESSION_DROP;
		if ((may_drop && thread->patience-- == 0) || !recorder_is_on()) {
			thread->patience = 0;
			thread_lose_event(thread);
			return false;
		}
		wait_for_seep(ring, tail);
	}
	if (thread->gap)
		put_gap(thread, time);
	return true;
}

void thread_put(struct thread *thread, const uint64_t *words, uint32_t nr_words)
{
	if (thread->head + nr_words <= thread->limit ||
	    make_room(thread, nr_words, words[1]))
		thread_publish(thread, words, nr_words);
}

static void note_ring(uint32_t ring)
{
	_Atomic uint32_t *nr_rings = &recorder.session->nr_rings;
	uint32_t nr = atomic_load_explicit(nr_rings, memory_order_relaxed);
	while (nr <= ring && !atomic_compare_exchange_weak(nr_rings, &nr, ring + 1))
		;
}

/* Its number; SESSION_RINGS if there is none. */
static uint32_t claim_ring(void)
{
	for (uint32_t i = 0; i < SESSION_RINGS; i++) {
		struct ring *ring = windows_ring(&recorder.windows, i);
		if (!ring) {
			tell(SESSION_NO_MEMORY);
			return SESSION_RINGS;
		}
		uint32_t state = RING_FREE;
		if (atomic_load_explicit(&ring->state, memory_order_relaxed) == state &&
		    atomic_compare_exchange_strong(&ring->state, &state, RING_USED))
			return i;
	}
	tell(SESSION_NO_RINGS);
	return SESSION_RINGS;
}

static struct thread *thread_of_ring(uint32_t number)
{
	if (!threads[number]) {
		threads[number] = system_pages(sizeof(struct thread));
		if (!threads[number])
			return NULL;
	}
	struct thread *thread = threads[number];
	struct ring *ring = windows_ring(&recorder.windows, number);
	thread->ring = ring;
	thread->head = atomic_load_explicit(&ring->head, memory_order_relaxed);
	thread->limit = 0;
	thread->gap = 0;
	thread->patience = 0;
	thread->nr_aside = thread->nr_told_aside = 0;
	thread->met_unknown_code = false;
	return thread;
}

static void put_fact(struct thread *thread, enum event_type type, uint64_t value)
{
	thread_put(thread, (uint64_t[]){ event_first(type, value), event_now() }, 2);
}

struct thread *thread_begin(void)
{
	int saved = errno;
	uint32_t number = claim_ring();
	struct thread *thread = number < SESSION_RINGS ? thread_of_ring(number) : NULL;
	if (!thread) {
		if (number < SESSION_RINGS)
			atomic_store(&windows_ring(&recorder.windows, number)->state,
				     RING_FREE);
		return NULL;
	}
	int tid = (int)system_call(SYS_gettid, 0, 0, 0, 0, 0, 0);
	tid = tid < 0 ? 0 : tid; /* shut */
	atomic_store_explicit(&thread->ring->tid, tid, memory_order_relaxed);
	atomic_store_explicit(&thread->ring->lost, 0, memory_order_relaxed);
	thread->unwind = unwind_thread_create(recorder.unwind, 0, 0);
	if (number > 0)
		atomic_store(&recorder.alone, false);
	note_ring(number);
	self.thread = thread;
	put_fact(thread, EVENT_THREAD, (uint64_t)tid);
	if (has_end_key && !self.ended)
		pthread_setspecific(end_key, (void *)(uintptr_t)KEY_ROUNDS);
	errno = saved;
	return thread;
}

static void thread_finish(struct thread *thread)
{
	self.thread = NULL;
	thread->patience = PATIENCE_TURNS;
	put_fact(thread, EVENT_THREAD_END, (uint64_t)thread->ring->tid);
	unwind_thread_destroy(thread->unwind);
	thread->unwind = NULL;
	atomic_store_explicit(&thread->ring->state, RING_ENDED, memory_order_release);
}

/* Called once a round, for as long as it sets the key again: others' destructors may allocate. */
static void end_of_thread(void *rounds_left)
{
	uintptr_t left = (uintptr_t)rounds_left - 1;
	if (left > 0 && pthread_setspecific(end_key, (void *)left) == 0)
		return;
	self.ended = true;
	if (self.thread && recorder_is_on()) {
		self.phase = PHASE_RECORDING;
		thread_finish(self.thread);
		self.phase = PHASE_IDLE;
	}
	self.thread = NULL;
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

/* A handler's hooks may put more aside meanwhile. */
static void put_what_is_aside(struct thread *thread, uint64_t before)
{
	uint32_t i = thread->nr_told_aside;
	for (; i < thread->nr_aside && thread->aside[i].w[1] < before; i++)
		thread_put(thread, thread->aside[i].w, thread->aside[i].nr);
	thread->nr_told_aside = i;
	if (i == thread->nr_aside)
		thread->nr_aside = thread->nr_told_aside = 0;
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
	return frame >= self.frame &&
	       system_call(SYS_sigaltstack, 0, (long)&alternative, 0, 0, 0, 0) == 0 &&
	       !(alternative.ss_flags & SS_ONSTACK);
}

/* What the unwinder was about when it was jumped out of is not known. */
static void begin_anew(void)
{
	struct thread *thread = self.thread;
	self.phase = PHASE_RECORDING;
	if (thread) {
		unwind_thread_destroy(thread->unwind);
		thread->unwind = unwind_thread_create(recorder.unwind, 0, 0);
		put_what_is_aside(thread, UINT64_MAX);
	}
}

bool recorder_enter_nested(uintptr_t frame, uintptr_t caller)
{
	if (caller >= real_allocator_low && caller < real_allocator_high)
		return false;
	if (was_jumped_out(frame)) {
		begin_anew();
		self.frame = frame;
		self.phase = PHASE_CALLING;
		return true;
	}
	if (self.phase == PHASE_ASIDE) {
		if (self.thread)
			thread_lose_event(self.thread);
		return false;
	}
	self.phase_before = self.phase;
	self.phase = PHASE_ASIDE;
	return true;
}

void thread_put_new_code(struct thread *thread, uint64_t time)
{
	thread->met_unknown_code = false;
	thread->patience = PATIENCE_TURNS;
	modules_tell(thread, time);
	thread->patience = 0;
}

/* A frame of a stack that is being walked. */
static uint32_t child_of(void *context, uint32_t parent, uint64_t address)
{
	(void)context;
	uint32_t nr_nodes =
		atomic_load_explicit(&recorder.session->nr_nodes, memory_order_relaxed);
	uint32_t node = stack_table_child(recorder.stacks, parent, address);
	if (UNLIKELY(node >= nr_nodes) && !modules_know(address & ~(UINT64_C(1) << 63)))
		self.thread->met_unknown_code = true;
	return node;
}

/* A page of its own, since a page is what a fork can wipe. */
static bool make_alive(void)
{
	_Atomic uint32_t *alive = system_pages(PAGE);
	if (!alive)
		return false;
	if (system_call(SYS_madvise, (long)alive, PAGE, MADV_WIPEONFORK, 0, 0, 0) != 0) {
		system_unmap(alive, PAGE);
		return false;
	}
	recorder.alive = alive;
	return true;
}

static bool make_parts(void)
{
	recorder.stacks = stack_table_create(&recorder.windows);
	if (!recorder.stacks || !make_alive())
		return false;
	struct unwind_options options = {
		.child = child_of,
		.max_frames = recorder.session->max_frames,
	};
	modules_own_range(&options.own_start, &options.own_end);
	recorder.unwind = unwind_create(&options);
	has_end_key = pthread_key_create(&end_key, end_of_thread) == 0;
	return recorder.unwind != NULL;
}

static bool join(const char *path)
{
	if (windows_open(&recorder.windows, path) < 0)
		return false;
	struct session *session = recorder.windows.session;
	uint32_t open = SESSION_OPEN;
	recorder.session = session;
	if (!atomic_compare_exchange_strong(&session->state, &open, SESSION_JOINED)) {
		windows_close(&recorder.windows);
		return false;
	}
	atomic_store(&session->pid, (int)system_call(SYS_getpid, 0, 0, 0, 0, 0, 0));
	if (!make_parts()) {
		recorder_give_up(SESSION_NO_MEMORY);
		return false;
	}
	atomic_store(&recorder.alone, true);
	atomic_store(recorder.alive, 1);
	return true;
}

bool recorder_join(void)
{
	/* Before libc has set the environment it cannot be known: the loader allocates first. */
	if (recorder.decided || !environ)
		return false;
	recorder.decided = true;
	int saved = errno;
	real_find();
	const char *path = secure_getenv(SESSION_VARIABLE);
	bool joined = path && join(path);
	if (joined) {
		self.phase = PHASE_RECORDING;
		struct thread *thread = thread_begin();
		if (thread)
			modules_tell(thread, event_now());
		self.phase = PHASE_IDLE;
	}
	errno = saved;
	return joined && recorder_is_on();
}

/* What no allocation before has done. */
__attribute__((constructor)) static void begin(void)
{
	recorder_is_on();
}
