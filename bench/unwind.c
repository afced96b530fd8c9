/*
 * What a call stack costs, in nanoseconds: with the frames of the last one kept, where all, most
 * or none of them are the same again; and by libunwind. Each is the median of several rounds,
 * which take turns, less what the calls themselves cost.
 */
#define UNW_LOCAL_ONLY
#include <libunwind.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <alloca.h>

#include "recorder/stack_tree.h"
#include "unwind/here.h"

#define OPAQUE __attribute__((noinline))

enum {
	DEPTH = 30, /* with main() and what is around it: 33 frames or so */
	CHANGING = 3,
	NR_ROUNDS = 9,
	NR_STACKS = 20000,
};

typedef void taker(void);

static struct unwind_thread *self;
static volatile uint64_t sink;
static taker *volatile taken;
static unsigned nr_stacks;

static OPAQUE void take_none(void)
{
	sink++;
}

static OPAQUE void take_ours(void)
{
	struct unwind_registers registers;
	unwind_here(&registers);
	sink += unwind_stack(self, &registers);
}

static OPAQUE void take_unw_step(void)
{
	unw_context_t context;
	unw_cursor_t cursor;
	unw_getcontext(&context);
	unw_init_local(&cursor, &context);
	do {
		unw_word_t address;
		unw_get_reg(&cursor, UNW_REG_IP, &address);
		sink += address;
	} while (unw_step(&cursor) > 0);
}

static OPAQUE void take_unw_backtrace(void)
{
	void *addresses[64];
	sink += (uint64_t)unw_backtrace(addresses, 64);
}

static OPAQUE void odd(int depth);

static OPAQUE void even(int depth)
{
	if (depth == 0)
		taken();
	else
		odd(depth - 1);
	sink++;
}

static OPAQUE void odd(int depth)
{
	volatile char some[40];
	some[0] = (char)depth;
	if (depth == 0)
		taken();
	else if (sink % 3)
		even(depth - 1);
	else
		odd(depth - 1);
	sink += (uint64_t)some[0];
}

/* The same stack, time after time. */
static OPAQUE void repeat(int depth)
{
	if (depth)
		repeat(depth - 1);
	else
		for (unsigned i = 0; i < nr_stacks; i++)
			taken();
	sink++;
}

/* The innermost few frames are others. */
static OPAQUE void vary(int depth)
{
	if (depth > CHANGING)
		vary(depth - 1);
	else
		for (unsigned i = 0; i < nr_stacks; i++)
			even(CHANGING);
	sink++;
}

/* All frames are where they were not. */
static OPAQUE void move(int depth)
{
	for (unsigned i = 0; i < nr_stacks; i++) {
		volatile char *some = alloca((i & 1) * 64 + 16);
		some[0] = 1;
		even(depth - 1);
		if (i % 100 == 99)
			return;
	}
}

static OPAQUE void move_all(int depth)
{
	for (unsigned i = 0; i < nr_stacks / 100; i++)
		move(depth);
}

static double nanoseconds(void (*stacks)(int depth), taker *take)
{
	struct timespec start, end;
	taken = take;
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &start);
	stacks(DEPTH);
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &end);
	return ((double)(end.tv_sec - start.tv_sec) * 1e9 +
		(double)(end.tv_nsec - start.tv_nsec)) /
	       nr_stacks;
}

static int compare(const void *a, const void *b)
{
	double first = *(const double *)a;
	double second = *(const double *)b;
	return (first > second) - (first < second);
}

static double median(double *numbers)
{
	qsort(numbers, NR_ROUNDS, sizeof(*numbers), compare);
	return numbers[NR_ROUNDS / 2];
}

static void measure(const char *name, void (*stacks)(int depth))
{
	static taker *const takes[] = { take_none, take_ours, take_unw_backtrace,
					take_unw_step };
	enum { NR_TAKES = sizeof(takes) / sizeof(takes[0]) };
	double found[NR_TAKES][NR_ROUNDS];
	for (int round = 0; round < NR_ROUNDS; round++)
		for (int i = 0; i < NR_TAKES; i++) {
			nr_stacks = takes[i] == take_unw_step ? NR_STACKS / 20
							      : NR_STACKS;
			found[i][round] = nanoseconds(stacks, takes[i]);
		}
	double none = median(found[0]);
	double ours = median(found[1]) - none;
	double backtrace = median(found[2]) - none;
	double step = median(found[3]) - none;
	printf("%-22s %8.1f %14.1f %10.1f %8.1f x %6.1f x\n", name, ours, backtrace, step,
	       backtrace / ours, step / ours);
}

int main(void)
{
	struct unwind_options options = { .child = stack_tree_child, .max_frames = 1024 };
	struct unwind *process = unwind_create(&options);
	self = process ? unwind_thread_create(process, 0, 0) : NULL;
	if (!self)
		return 1;
	printf("%-22s %8s %14s %10s   ratios\n", "ns per stack", "unwind",
	       "unw_backtrace", "unw_step");
	measure("all frames again", repeat);
	measure("all but a few", vary);
	measure("none", move_all);
	unwind_thread_destroy(self);
	return 0;
}
