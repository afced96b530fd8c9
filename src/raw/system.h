/*
 * system: system calls without libc: they touch no errno, and nobody can have replaced them.
 *
 * All return what the kernel does: -errno when they fail. A program may forbid itself all but a
 * few system calls (seccomp), and be killed for others: from system_shut() on, there are none.
 */
#ifndef SEEP_RAW_SYSTEM_H
#define SEEP_RAW_SYSTEM_H

#include <errno.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/syscall.h>

extern _Atomic bool system_is_shut_;

static inline bool system_is_shut(void)
{
	return atomic_load_explicit(&system_is_shut_, memory_order_relaxed);
}

static inline void system_shut(void)
{
	atomic_store(&system_is_shut_, true);
}

#if defined(__x86_64__)
static inline long system_enter(long number, long a, long b, long c, long d, long e,
				long f)
{
	register long fourth __asm__("r10") = d;
	register long fifth __asm__("r8") = e;
	register long sixth __asm__("r9") = f;
	long result;
	__asm__ volatile("syscall"
			 : "=a"(result)
			 : "a"(number), "D"(a), "S"(b), "d"(c), "r"(fourth), "r"(fifth),
			   "r"(sixth)
			 : "rcx", "r11", "memory");
	return result;
}
#elif defined(__aarch64__)
static inline long system_enter(long number, long a, long b, long c, long d, long e,
				long f)
{
	register long nr __asm__("x8") = number;
	register long first __asm__("x0") = a;
	register long second __asm__("x1") = b;
	register long third __asm__("x2") = c;
	register long fourth __asm__("x3") = d;
	register long fifth __asm__("x4") = e;
	register long sixth __asm__("x5") = f;
	__asm__ volatile("svc 0"
			 : "+r"(first)
			 : "r"(nr), "r"(second), "r"(third), "r"(fourth), "r"(fifth),
			   "r"(sixth)
			 : "memory");
	return first;
}
#else
#error "to add a processor: how it calls the kernel"
#endif

static inline long system_call(long number, long a, long b, long c, long d, long e,
			       long f)
{
	return system_is_shut() ? -EPERM : system_enter(number, a, b, c, d, e, f);
}

/* An address or -errno, which is in the last page of the address space. */
static inline void *system_pointer(long result)
{
	return (unsigned long)result > -4096ul ? NULL : (void *)result;
}

/*
 * Zeroed pages of our own; NULL if there are none. They are advised as nobody's are, to stay out of
 * dumps and to be read at random, so that who looks for leaks knows them for ours
 * (target/own_pages.h): a stack that was kept from before may hold the last pointer to a block.
 */
static inline void *system_pages(size_t bytes)
{
	void *pages = system_pointer(system_call(SYS_mmap, 0, (long)bytes,
						 PROT_READ | PROT_WRITE,
						 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
	if (pages) {
		system_call(SYS_madvise, (long)pages, (long)bytes, MADV_DONTDUMP, 0, 0,
			    0);
		system_call(SYS_madvise, (long)pages, (long)bytes, MADV_RANDOM, 0, 0, 0);
	}
	return pages;
}

/* What a loop that waits for another processor does. */
static inline void system_pause(void)
{
#if defined(__x86_64__)
	__builtin_ia32_pause();
#elif defined(__aarch64__)
	__asm__ volatile("yield");
#endif
}

static inline void system_unmap(void *address, size_t bytes)
{
	system_call(SYS_munmap, (long)address, (long)bytes, 0, 0, 0, 0);
}

#endif
