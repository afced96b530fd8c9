/*
 * event: what a thread of a recorded program tells seep, as words in its ring.
 *
 * The first word of a record holds its type in bits 56 to 62 and in most a 56-bit value below; the
 * second is the time. An ALLOCATION or FREE with the top bit, EVENT_AGAIN, has no such word: its time
 * is that of the record before it. Times are the processor's own ticks (event_now()), which all
 * processors share. They order events of different threads: a free is stamped before the
 * allocator is called, an allocation after it returned, so that of two owners of one address the
 * first one's free is always the earlier. While a program has one thread, the time is
 * session->ticks, which is some milliseconds old and takes no time to read; so it is where one of
 * several records alone (raw/solo.h).
 *
 *	record             words                                               number
 *	ALLOCATION         address, time, node << 32 | size                          3
 *	BIG_ALLOCATION     address, time, node << 32, size                           4
 *	FREE               address, time                                             2
 *	REALLOCATION       old address, time, node << 32, size, new address          5
 *	MAP                address, time, node << 32, size                           4
 *	UNMAP              address, time, size                                       3
 *	THREAD             tid, time: the first record of each thread's turn         2
 *	THREAD_END         tid, time                                                 2
 *	GAP                events lost here, time                                    2
 *	LOAD               words in all, time, start, end, bias, first node,
 *	                   path size << 32 | build-id size, path and build-id bytes,
 *	                   padded to words                                      7 + …
 *	UNLOAD             start, time, first node that does not mean it             3
 *	FORK               pid of the child, time                                    2
 *	EXEC               0, time: another program is about to be executed; its
 *	                   failure is told by further records                        2
 *
 * A REALLOCATION is stamped after the allocator returned; when its block moved, seep takes the
 * old address as free from that very moment, or earlier, should another thread have got it.
 * realloc(NULL, n) is an ALLOCATION, realloc(p, 0) that frees is a FREE; failed calls are none.
 */
#ifndef SEEP_WIRE_EVENT_H
#define SEEP_WIRE_EVENT_H

#include <stdbool.h>
#include <stdint.h>

enum event_type {
	EVENT_NONE,
	EVENT_ALLOCATION,
	EVENT_BIG_ALLOCATION,
	EVENT_FREE,
	EVENT_REALLOCATION,
	EVENT_MAP,
	EVENT_UNMAP,
	EVENT_THREAD,
	EVENT_THREAD_END,
	EVENT_GAP,
	EVENT_LOAD,
	EVENT_UNLOAD,
	EVENT_FORK,
	EVENT_EXEC,
	EVENT_NR_TYPES,
};

#define EVENT_AGAIN (UINT64_C(1) << 63)

#define EVENT_VALUE_BITS 56
#define EVENT_VALUE_MASK ((UINT64_C(1) << EVENT_VALUE_BITS) - 1)
/* Blocks lie below: no processor has addresses above for a program that does not ask for them. */
#define EVENT_BLOCK_BITS 52
#define EVENT_BLOCK_MASK ((UINT64_C(1) << EVENT_BLOCK_BITS) - 1)
/* A LOAD's words: the longest path and build-id. */
#define EVENT_MAX_WORDS (7 + (4096 + 64) / 8)

static inline uint64_t event_first(enum event_type type, uint64_t value)
{
	return (uint64_t)type << EVENT_VALUE_BITS | (value & EVENT_VALUE_MASK);
}

static inline enum event_type event_type(uint64_t first)
{
	return (enum event_type)((first & ~EVENT_AGAIN) >> EVENT_VALUE_BITS);
}

/* Whether a record may have EVENT_AGAIN. */
static inline bool event_may_be_again(uint64_t first)
{
	return event_type(first) == EVENT_ALLOCATION || event_type(first) == EVENT_FREE;
}

static inline uint64_t event_value(uint64_t first)
{
	return first & EVENT_VALUE_MASK;
}

/* Ticks of a clock that does not stop and that all processors share. */
static inline uint64_t event_now(void)
{
#if defined(__x86_64__)
	return __builtin_ia32_rdtsc();
#elif defined(__aarch64__)
	uint64_t ticks;
	__asm__ volatile("mrs %0, cntvct_el0" : "=r"(ticks));
	return ticks;
#else
#error "to add a processor: its clock"
#endif
}

/* The same, and never before what comes before it in the program. The processor may read its
   clock ahead of instructions that still wait for memory; a block that came from another thread
   would then be freed before it was allocated (seen in up to 1 of 2,000 frees). */
static inline uint64_t event_now_in_order(void)
{
#if defined(__x86_64__)
	__builtin_ia32_lfence();
#elif defined(__aarch64__)
	__asm__ volatile("isb" ::: "memory");
#endif
	return event_now();
}

#endif
