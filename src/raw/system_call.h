/*
 * system_call: a call of the kernel, past libc: no errno, no cancellation, no hook.
 * It gives what the kernel gives: -errno when it fails.
 *
 * A program may forbid itself all but a few system calls (seccomp), and be killed for others:
 * from system_call_shut() on, there are none, and each fails with -EFAULT: no address is good.
 */
#ifndef SEEP_RAW_SYSTEM_CALL_H
#define SEEP_RAW_SYSTEM_CALL_H

#include <errno.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/syscall.h>

extern _Atomic bool system_call_closed;

static inline bool system_call_is_shut(void)
{
	return atomic_load_explicit(&system_call_closed, memory_order_relaxed);
}

static inline void system_call_shut(void)
{
	atomic_store(&system_call_closed, true);
}

/* Of what was shut for somebody else who has the same memory. */
static inline void system_call_open(void)
{
	atomic_store(&system_call_closed, false);
}

/* Registers: the System V ABI for x86-64, A.2.1; for arm64, syscall(2). */
static inline long system_call(long number, long a, long b, long c, long d, long e,
			       long f)
{
	if (system_call_is_shut())
		return -EFAULT;
#if defined(__x86_64__)
	long result;
	register long r10 __asm__("r10") = d;
	register long r8 __asm__("r8") = e;
	register long r9 __asm__("r9") = f;
	__asm__ volatile("syscall"
			 : "=a"(result)
			 : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
			 : "rcx", "r11", "memory");
	return result;
#elif defined(__aarch64__)
	register long x8 __asm__("x8") = number;
	register long x0 __asm__("x0") = a;
	register long x1 __asm__("x1") = b;
	register long x2 __asm__("x2") = c;
	register long x3 __asm__("x3") = d;
	register long x4 __asm__("x4") = e;
	register long x5 __asm__("x5") = f;
	__asm__ volatile("svc 0"
			 : "+r"(x0)
			 : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5)
			 : "memory");
	return x0;
#else
#error "to add a processor: its system calls"
#endif
}

#endif
