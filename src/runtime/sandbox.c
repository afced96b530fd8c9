/*
 * sandbox: the hooks of what a program may forbid itself system calls with (seccomp(2)), after which
 * one of ours would end it; or the clock, which seccomp's strict mode forbids too. Both jump on to
 * the real call: it may return twice, on another stack.
 *
 * By syscall() a thread may also end past libc, which would have ended its turn with a ring.
 *
 * Whether it will succeed is not known; a call without a filter is a question of what the kernel
 * can do. Both are variadic, but no argument is passed otherwise for that (System V ABI of x86-64,
 * AAPCS64), so their headers are not included here.
 */
#include <linux/prctl.h>
#include <linux/seccomp.h>
#include <sys/syscall.h>

#include "raw/system_call.h"
#include "runtime/real.h"
#include "runtime/recorder_priv.h"
#include "runtime/sandbox.h"

/* A child of vfork() is its parent's thread, which waits until it is gone. */
static _Thread_local bool is_shut_for_child;
static _Atomic uint32_t nr_shut_children;
static _Atomic bool is_shut_for_all;

bool sandbox_open_for_parent(void)
{
	bool was_shut = is_shut_for_child;
	is_shut_for_child = false;
	if (was_shut && atomic_fetch_sub(&nr_shut_children, 1) == 1 &&
	    !atomic_load(&is_shut_for_all))
		system_call_open();
	return was_shut;
}

static void note_child(void)
{
	is_shut_for_child = true;
	atomic_fetch_add(&nr_shut_children, 1);
}

void sandbox_shut_for_child(void)
{
	note_child();
	system_call_shut();
}

static __attribute__((noinline)) void shut(bool clock_too)
{
	if (!recorder_is_on())
		return;
	if (clock_too) {
		recorder_give_up(SESSION_NO_CLOCK);
		return;
	}
	/* Who it is cannot be asked any more where it is shut. */
	if (system_call_is_shut() || recorder_is_of_program())
		atomic_store(&is_shut_for_all, true);
	else
		note_child();
	recorder_shut();
}

static __attribute__((noinline)) void end_thread(void)
{
	/* A handler may end it in the middle of an event: then its ring is not fit to be given on. */
	if (recorder_is_on() && self.phase == PHASE_IDLE && recorder_is_of_program())
		thread_end();
}

HOOK int prctl(int option, long a, long b, long c, long d);
HOOK int prctl(int option, long a, long b, long c, long d)
{
	bool is_strict = option == PR_SET_SECCOMP && a == SECCOMP_MODE_STRICT;
	bool is_filter = option == PR_SET_SECCOMP && a == SECCOMP_MODE_FILTER && b != 0;
	bool is_clock = option == PR_SET_TSC && a == PR_TSC_SIGSEGV;
	if (is_strict || is_filter || is_clock)
		shut(!is_filter);
	return real.prctl(option, a, b, c, d);
}

HOOK long syscall(long number, long a, long b, long c, long d, long e, long f);
HOOK long syscall(long number, long a, long b, long c, long d, long e, long f)
{
	bool is_strict = number == SYS_seccomp && a == SECCOMP_SET_MODE_STRICT;
	bool is_filter = number == SYS_seccomp && a == SECCOMP_SET_MODE_FILTER && c != 0;
	if (is_strict || is_filter)
		shut(!is_filter);
	if (number == SYS_exit)
		end_thread();
	return real.syscall(number, a, b, c, d, e, f);
}
