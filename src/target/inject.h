/*
 * inject: system calls that a stopped thread of another process makes for us (x86-64).
 *
 *	inject_begin(&injection, pid, tid, place, options)
 *	inject_call(&injection, SYS_…, arguments, &result)   as often as needed
 *	inject_end(&injection)                 the thread is as it was, and still stopped
 *
 * `place` is where a syscall instruction stands, `options` are PTRACE_O_… to set besides.
 * The thread must be ours (PTRACE_SEIZE), in the stop that PTRACE_INTERRUPT makes, and no
 * signal must be on its way to it. It executes nothing but the one instruction; signals wait
 * meanwhile. Registers, signal mask and a system call that was to be made again are put back
 * by inject_end(), which is due after a failed call, too.
 */
#ifndef SEEP_TARGET_INJECT_H
#define SEEP_TARGET_INJECT_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/user.h>

#include "base/error.h"

struct injection {
	pid_t pid, tid;
	uint64_t place;
	struct user_regs_struct saved;
	/* What the thread has between calls: would it run on so, should its tracer die, it
	   would do what it had to do. */
	struct user_regs_struct parked;
	uint64_t mask; /* of blocked signals */
	pid_t child; /* made by the last call (PTRACE_EVENT_CLONE), as we see its pid; 0 */
	bool stop_signal; /* a SIGSTOP came meanwhile: it is sent again at the end */
};

/* The arguments of a system call, in the order of its manual page. */
struct inject_arguments {
	uint64_t words[6];
};

/* Whether a thread may be used: no restartable sequence that a detour would break, no
   dispatch of its system calls to itself. */
bool inject_is_possible(pid_t tid);

struct error *inject_begin(struct injection *injection, pid_t pid, pid_t tid,
			   uint64_t place, unsigned options) MUST_CHECK;
/* Sets `parked` to where the thread was. */
void inject_park(struct injection *injection);
/* *result is what the kernel gave: -errno when the call failed, which is no error here.
   ERROR_REFUSED: the thread ended meanwhile. */
struct error *inject_call(struct injection *injection, uint64_t number,
			  struct inject_arguments arguments, int64_t *result) MUST_CHECK;
struct error *inject_end(struct injection *injection) MUST_CHECK;

#endif
