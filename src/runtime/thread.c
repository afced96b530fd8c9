/*
 * thread: a thread's turn with a ring; see recorder.h.
 *
 * A ring is claimed by a compare-and-swap of its state, lowest first; from then on its words, its
 * head and the `struct thread` of its number are the claimer's alone, until it sets RING_ENDED.
 * A thread ends its turn in the last round of its key's destructors. What it frees after that
 * (libc's own per-thread memory) is a turn by itself for each event.
 */
#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <pthread.h>
#include <time.h>

#include "raw/pages.h"
#include "raw/pause.h"
#include "raw/system_call.h"
#include "runtime/modules.h"
#include "runtime/recorder.h"
#include "runtime/recorder_priv.h"

#define WAIT_NS                                                                          \
	50000000 /* seep may have ended: looked at so often while a ring is full */
#define PATIENCE_TURNS 20     /* of WAIT_NS, for what should not be dropped */
#define SHUT_TURNS     100000 /* of waiting without a system call */
/* pthread_setspecific(3): a destructor that sets its key again is called so often. */
#define KEY_ROUNDS PTHREAD_DESTRUCTOR_ITERATIONS

static struct thread *threads[SESSION_RINGS]; /* by ring; its claimer's */
static pthread_key_t end_key;
static bool has_end_key;

void thread_lose_event(struct thread *thread)
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
	for (int i = 0; i < SHUT_TURNS && system_call_is_shut(); i++) {
		if (atomic_load_explicit(&ring->tail, memory_order_relaxed) != tail)
			return;
		pause_briefly();
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
			recorder_tell(SESSION_NO_MEMORY);
			return SESSION_RINGS;
		}
		uint32_t state = RING_FREE;
		if (atomic_load_explicit(&ring->state, memory_order_relaxed) == state &&
		    atomic_compare_exchange_strong(&ring->state, &state, RING_USED))
			return i;
	}
	recorder_tell(SESSION_NO_RINGS);
	return SESSION_RINGS;
}

static struct thread *thread_of_ring(uint32_t number)
{
	if (!threads[number]) {
		threads[number] = pages_map(sizeof(struct thread));
		if (!threads[number])
			return NULL;
	}
	struct thread *thread = threads[number];
	struct ring *ring = windows_ring(&recorder.windows, number);
	thread->ring = ring;
	thread->number = number;
	thread->head = atomic_load_explicit(&ring->head, memory_order_relaxed);
	atomic_store_explicit(&ring->inside, 0, memory_order_relaxed);
	thread->limit = 0;
	thread->last_time = 0;
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

static struct unwind_thread *unwind_begin(int tid)
{
	bool is_bare = atomic_load(&recorder.has_bare_stacks) &&
		       tid != atomic_load(&recorder.session->pid);
	uint64_t bound = is_bare ? UNWIND_NO_OWN_STACK : 0;
	return unwind_thread_create(recorder.unwind, bound, bound);
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
	thread->unwind = unwind_begin(tid);
	note_ring(number);
	if (number > 0)
		atomic_store(&recorder.has_threads, true);
	self.thread = thread;
	put_fact(thread, EVENT_THREAD, (uint64_t)tid);
	if (has_end_key && !self.ended)
		pthread_setspecific(end_key, (void *)(uintptr_t)KEY_ROUNDS);
	errno = saved;
	return thread;
}

void thread_finish(struct thread *thread)
{
	self.thread = NULL;
	thread->patience = PATIENCE_TURNS;
	put_fact(thread, EVENT_THREAD_END, (uint64_t)thread->ring->tid);
	unwind_thread_destroy(thread->unwind);
	thread->unwind = NULL;
	atomic_store_explicit(&thread->ring->state, RING_ENDED, memory_order_release);
}

void thread_end(void)
{
	self.ended = true;
	if (!self.thread || !recorder_is_on())
		return;
	self.phase = PHASE_RECORDING;
	thread_finish(self.thread);
	self.phase = PHASE_IDLE;
}

/* Called once a round, for as long as it sets the key again: others' destructors may allocate. */
static void end_of_thread(void *rounds_left)
{
	uintptr_t left = (uintptr_t)rounds_left - 1;
	if (left > 0 && pthread_setspecific(end_key, (void *)left) == 0)
		return;
	thread_end();
	self.thread = NULL;
}

void thread_make_end_key(void)
{
	has_end_key = pthread_key_create(&end_key, end_of_thread) == 0;
}

bool thread_put_new_code(struct thread *thread, uint64_t time)
{
	thread->met_unknown_code = false;
	thread->patience = PATIENCE_TURNS;
	bool forgot = modules_tell(thread, time);
	thread->patience = 0;
	return forgot;
}
