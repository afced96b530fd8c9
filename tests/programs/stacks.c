/*
 * stacks: blocks that only a stack holds: of main, of live threads, of threads that have
 * ended, on memory of the program's own.
 *
 * expect: definite 576 in 4
 * expect: possible 56 in 1
 * expect: reachable 688 in 6
 */
#include <pthread.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "plant.h"

#define STACK_BYTES ((size_t)1 << 20)

static uintptr_t in_main, in_main_inside, in_thread, in_deep_frame, on_own_stack;
static uintptr_t stale_local, result_taken, stale_argument, stale_detached;
static uintptr_t result_waiting, result_of_exit;

static const char cached[] =
	"glibc keeps ended threads' stacks for the next thread; nobody "
	"can reach their descriptors";

static void plant(void)
{
	in_main = plant_hide(plant_block(PLANT_REACHABLE, "in main's frame"));
	in_main_inside =
		plant_hide(plant_block(PLANT_POSSIBLE, "interior in main's frame"));
	in_thread = plant_hide(plant_block(PLANT_REACHABLE, "in a live thread's frame"));
	in_deep_frame =
		plant_hide(plant_block(PLANT_REACHABLE, "in a live thread's deep frame"));
	on_own_stack = plant_hide(plant_block(
		PLANT_REACHABLE, "in the frame of a thread on the program's own stack"));

	stale_local =
		plant_hide(plant_block(PLANT_DEFINITE, "in an ended thread's frame"));
	stale_detached = plant_hide(
		plant_block(PLANT_DEFINITE, "in an ended detached thread's frame"));

	void *block = plant_block(PLANT_DEFINITE, "result of a joined thread, forgotten");
	plant_differs(block, PLANT_REACHABLE, cached);
	result_taken = plant_hide(block);
	block = plant_block(PLANT_DEFINITE, "argument of an ended thread");
	plant_differs(block, PLANT_REACHABLE, cached);
	stale_argument = plant_hide(block);

	result_waiting = plant_hide(
		plant_block(PLANT_REACHABLE, "result of a thread not joined yet"));
	result_of_exit = plant_hide(
		plant_block(PLANT_REACHABLE, "pthread_exit's result, not joined yet"));
}

static void *hold_in_frame(void *hidden)
{
	void *volatile held = plant_show((uintptr_t)hidden);
	PLANT_KEEP(held);
	plant_holding();
	plant_pause();
}

static void hold_here(void)
{
	plant_holding();
	plant_pause();
}

/* In a variable, so that no compiler sees that nothing ever returns. */
static void (*volatile innermost)(void) = hold_here;

__attribute__((noinline)) static void hold_deep(unsigned depth, uintptr_t hidden)
{
	void *volatile held = depth == 50 ? plant_show(hidden) : NULL;
	volatile char room[512];
	PLANT_KEEP(held);
	PLANT_KEEP(room);
	if (depth == 0)
		innermost();
	else
		hold_deep(depth - 1, hidden);
	PLANT_KEEP(held);
	PLANT_KEEP(room);
}

static void *hold_in_deep_frame(void *hidden)
{
	hold_deep(100, (uintptr_t)hidden);
	return NULL;
}

static void *leave_in_frame(void *hidden)
{
	void *volatile held = plant_show((uintptr_t)hidden);
	PLANT_KEEP(held);
	return NULL;
}

static void *return_shown(void *hidden)
{
	return plant_show((uintptr_t)hidden);
}

static void *exit_shown(void *hidden)
{
	pthread_exit(plant_show((uintptr_t)hidden));
}

static void *do_nothing(void *argument)
{
	(void)argument;
	return NULL;
}

static pthread_t start(void *(*run)(void *), void *argument)
{
	pthread_t thread;
	if (pthread_create(&thread, NULL, run, argument) != 0)
		abort();
	return thread;
}

static void start_on_own_stack(void)
{
	void *stack = mmap(NULL, STACK_BYTES, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (stack == MAP_FAILED)
		abort();
	plant_thread_on(stack, STACK_BYTES, hold_in_frame, on_own_stack);
}

static pthread_t ended[4];
static volatile pthread_t unjoined[2];

/* All at once, so that none gets the stack of another. */
static void start_ending_threads(void)
{
	ended[0] = start(leave_in_frame, (void *)stale_local);
	ended[1] = start(return_shown, (void *)result_taken);
	ended[2] = start(do_nothing, plant_show(stale_argument));
	ended[3] = start(leave_in_frame, (void *)stale_detached);
	unjoined[0] = start(return_shown, (void *)result_waiting);
	unjoined[1] = start(exit_shown, (void *)result_of_exit);

	pthread_detach(ended[3]);
	for (int i = 0; i < 3; i++)
		pthread_join(ended[i], NULL);
	plant_await_ends();
}

int main(int argc, char **argv)
{
	plant_run(plant);
	void *volatile held = plant_show(in_main);
	void *volatile held_inside = (char *)plant_show(in_main_inside) + 32;
	PLANT_KEEP(held);
	PLANT_KEEP(held_inside);
	plant_thread(hold_in_frame, in_thread);
	plant_thread(hold_in_deep_frame, in_deep_frame);
	start_on_own_stack();
	plant_run(start_ending_threads);
	plant_wait(argc, argv);
}
