/*
 * freezer: stops every thread of a process, takes its registers, and lets it go.
 *
 * Uses PTRACE_SEIZE and PTRACE_INTERRUPT, which send no signal: a stop is invisible to the
 * process and its parent. When seep dies, the kernel detaches and the threads run on.
 * A system call that the stop would make fail with EINTR is put back (see putback.c).
 */
#ifndef SEEP_TARGET_FREEZER_H
#define SEEP_TARGET_FREEZER_H

#include "target/target.h"

/* A thread that we hold. */
struct held_thread {
	pid_t tid;
	int deliver; /* signal that the stop interrupted; given back at the end */
	bool stopped;
};
DEFINE_VEC(held_thread_vec, struct held_thread);

struct freezer {
	pid_t pid;
	struct held_thread_vec threads;
};

/*
 * Stops all threads before `deadline_ns` (of CLOCK_MONOTONIC) or undoes everything and
 * fails: ERROR_BUDGET names the thread that would not stop and what it waits for.
 */
struct error *freezer_stop(struct freezer *freezer, pid_t pid,
			   uint64_t deadline_ns) MUST_CHECK;
void freezer_release(struct freezer *freezer);

/* Appends every held thread with its registers. */
struct error *freezer_threads(const struct freezer *freezer,
			      struct thread_vec *threads) MUST_CHECK;

uint64_t freezer_now_ns(void);

#endif
