/*
 * sandbox: the hooks of what a program may forbid itself system calls with (seccomp(2)), after which
 * one of ours would end it; or the clock, which seccomp's strict mode forbids too. Both jump on to the real call: it may return twice, on another stack.
 *
 * Whether it will succeed is not known; a call without a filter is a question of what the kernel
 * can do. Both are variadic, but no argument is passed otherwise for that (System V ABI of x86-64,
 * AAPCS64), so their headers are not included here.
 */
#include <linux/prctl.h>
#include <linux/seccomp.h>
#include <sys/syscall.h>

#include "runtime/real.h"
#include "runtime/recorder.h"

static __attribute__((noinline)) void shut(bool clock_too)
{
	if (!recorder_is_on())
		return;
	if (clock_too)
		recorder_give_up(SESSION_NO_CLOCK);
	else
		recorder_shut();
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
	return real.syscall(number, a, b, c, d, e, f);
}
