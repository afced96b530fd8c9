/*
 * contexts: stacks that are blocks themselves: of coroutines and of a thread.
 *
 * A suspended coroutine's frames hold what they hold as long as its stack is held.
 *
 * expect: definite 1944 in 1
 * expect: indirect 65616 in 2
 * expect: reachable 331784 in 6
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>

#include "plant.h"

#define STACK_BYTES ((size_t)65544)

struct coroutine {
	ucontext_t context, resumer;
	void *stack;
};

static struct coroutine in_static;
static struct coroutine *volatile on_mapping;
static uintptr_t current, held_in_frame;

/* Runs until its first yield, and is never resumed. */
static void hold_and_yield(void)
{
	struct coroutine *self = plant_show(current);
	void *volatile held = plant_show(held_in_frame);
	PLANT_KEEP(held);
	swapcontext(&self->context, &self->resumer);
	PLANT_KEEP(held);
}

/* The resumer's registers point here and there: they are wiped when it is done. */
static void start(struct coroutine *coroutine, size_t stack_bytes)
{
	current = plant_hide(coroutine);
	getcontext(&coroutine->context);
	coroutine->context.uc_stack.ss_sp = coroutine->stack;
	coroutine->context.uc_stack.ss_size = stack_bytes;
	coroutine->context.uc_link = NULL;
	makecontext(&coroutine->context, hold_and_yield, 0);
	swapcontext(&coroutine->resumer, &coroutine->context);
	memset(&coroutine->resumer, 0, sizeof(coroutine->resumer));
}

static void kept_coroutine(void)
{
	in_static.stack = plant_sized(STACK_BYTES, PLANT_REACHABLE, "coroutine's stack");
	held_in_frame = plant_hide(
		plant_block(PLANT_REACHABLE, "in a suspended coroutine's frame"));
	start(&in_static, STACK_BYTES);
}

static void lost_coroutine(void)
{
	struct coroutine *lost =
		plant_note(calloc(1, sizeof(*lost)), PLANT_DEFINITE, "lost coroutine");
	lost->stack =
		plant_sized(STACK_BYTES + 16, PLANT_INDIRECT, "lost coroutine's stack");
	held_in_frame =
		plant_hide(plant_block(PLANT_INDIRECT, "in a lost coroutine's frame"));
	start(lost, STACK_BYTES + 16);
}

static void coroutine_on_mapping(void)
{
	on_mapping = plant_note(calloc(2, sizeof(*on_mapping)), PLANT_REACHABLE,
				"coroutine with a mapped stack");
	on_mapping->stack = mmap(NULL, 65536, PROT_READ | PROT_WRITE,
				 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	held_in_frame = plant_hide(
		plant_block(PLANT_REACHABLE,
			    "in the frame of a suspended coroutine with a mapped stack"));
	start(on_mapping, 65536);
}

static void plant(void)
{
	kept_coroutine();
	lost_coroutine();
	coroutine_on_mapping();
}

/* ---- a thread on a block */

static void *volatile stack_block;
static uintptr_t held_by_thread;

static void plant_thread_stack(void)
{
	size_t size = 4 * STACK_BYTES - 24;
	stack_block = plant_sized(size, PLANT_REACHABLE, "thread's stack");
	held_by_thread = plant_hide(plant_block(
		PLANT_REACHABLE, "in the frame of a thread whose stack is a block"));
}

static void *hold(void *hidden)
{
	void *volatile held = plant_show((uintptr_t)hidden);
	PLANT_KEEP(held);
	plant_holding();
	plant_pause();
}

int main(int argc, char **argv)
{
	plant_run(plant);
	plant_run(plant_thread_stack);
	plant_thread_on(stack_block, 4 * STACK_BYTES - 32, hold, held_by_thread);
	plant_wait(argc, argv);
}
