/*
 * Prints what a call stack costs, in nanoseconds: kept frames, walked ones, and libunwind's, for
 * stacks of a depth given by the argument (33), whose innermost two frames change each time.
 */
#define UNW_LOCAL_ONLY
#include <libunwind.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "unwind/unwind.h"

#define ROUNDS 200000u

static struct unwind *all;
static struct unwind_thread *thread;
static volatile uint32_t sink;
static void (*take)(void);

static uint32_t child(void *context, uint32_t parent, uint64_t address)
{
	(void)context;
	return (uint32_t)((parent + address) * 2654435761u);
}

static __attribute__((noinline)) void take_kept(void)
{
	struct unwind_registers registers;
	unwind_here(&registers);
	sink = unwind_stack(thread, &registers);
}

static __attribute__((noinline)) void take_walked(void)
{
	struct unwind_registers registers;
	unwind_forget_stacks(all);
	unwind_here(&registers);
	sink = unwind_stack(thread, &registers);
}

static __attribute__((noinline)) void take_libunwind(void)
{
	void *stack[256];
	sink = (uint32_t)unw_backtrace(stack, 256);
}

static __attribute__((noinline)) void one(void)
{
	take();
	sink++;
}

static __attribute__((noinline)) void other(void)
{
	take();
	sink--;
}

static double now_ns(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

static __attribute__((noinline)) double deepen(int depth)
{
	volatile double result;
	if (depth > 0) {
		result = deepen(depth - 1);
		return result;
	}
	double begin = now_ns();
	for (unsigned i = 0; i < ROUNDS; i++)
		(i & 1 ? one : other)();
	result = (now_ns() - begin) / ROUNDS;
	return result;
}

int main(int argc, char **argv)
{
	int depth = argc > 1 ? atoi(argv[1]) : 33;
	const struct unwind_options options = { .child = child, .max_frames = 1u << 20 };
	all = unwind_create(&options);
	thread = all ? unwind_thread_create(all, 0, 0) : NULL;
	if (!thread)
		return 1;
	static const struct {
		const char *name;
		void (*take)(void);
	} ways[] = { { "kept", take_kept },
		     { "walked", take_walked },
		     { "libunwind", take_libunwind } };
	for (size_t i = argc > 2 ? (size_t)atoi(argv[2]) : 0;
	     i < sizeof(ways) / sizeof(ways[0]); i++) {
		take = ways[i].take;
		printf("%-10s %7.0f ns\n", ways[i].name, deepen(depth - 5));
	}
	return 0;
}
