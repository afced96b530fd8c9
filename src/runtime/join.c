/* join: how the recorder (recorder.h) gets to its session, and away from it. */
#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "raw/pages.h"
#include "raw/system_call.h"
#include "runtime/barrier.h"
#include "runtime/modules.h"
#include "runtime/real.h"
#include "runtime/recorder.h"
#include "runtime/recorder_priv.h"
#include "runtime/successor.h"

#define PAGE 4096u
/* What is mapped in advance where system calls are about to be forbidden. */
#define SHUT_RING_WINDOWS 2u
#define SHUT_NODE_WINDOWS 4u

void recorder_stop(void)
{
	atomic_store_explicit(recorder.alive, 0, memory_order_relaxed);
}

void recorder_tell(enum session_trouble trouble)
{
	uint32_t none = SESSION_NO_TROUBLE;
	atomic_compare_exchange_strong(&recorder.session->trouble, &none, trouble);
}

void recorder_give_up(enum session_trouble trouble)
{
	recorder_tell(trouble);
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
	system_call_shut();
}

bool recorder_is_of_program(void)
{
	return atomic_load(&recorder.session->pid) ==
	       system_call(SYS_getpid, 0, 0, 0, 0, 0, 0);
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
	_Atomic uint32_t *alive = pages_map(PAGE);
	if (!alive)
		return false;
	if (system_call(SYS_madvise, (long)alive, PAGE, MADV_WIPEONFORK, 0, 0, 0) != 0) {
		pages_unmap(alive, PAGE);
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
	thread_make_end_key();
	return recorder.unwind != NULL;
}

/* The first session of the process is its first program's. */
static bool take_session(struct windows *windows, const char *path)
{
	uint32_t open = SESSION_OPEN;
	if (windows_open(windows, path) < 0)
		return false;
	if (!atomic_compare_exchange_strong(&windows->session->state, &open,
					    SESSION_JOINED))
		return successor_join(windows, path);
	atomic_store(&windows->session->image, successor_image());
	return true;
}

static bool join(const char *path)
{
	if (!take_session(&recorder.windows, path))
		return false;
	struct session *session = recorder.windows.session;
	recorder.session = session;
	atomic_store(&session->pid, (int)system_call(SYS_getpid, 0, 0, 0, 0, 0, 0));
	atomic_store(&session->has_barrier, barrier_allow());
	if (!make_parts()) {
		recorder_give_up(SESSION_NO_MEMORY);
		return false;
	}
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
