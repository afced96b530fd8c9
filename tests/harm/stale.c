/*
 * stale: two lost blocks of which a pointer is left where a function stood that has returned:
 * on a live thread's stack, and on one that the program made for a thread itself.
 *
 * expect: definite 1024 in 2
 */
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "plant.h"

#define STACK_BYTES ((size_t)1 << 20)

static uintptr_t on_own_stack, on_stack;

static void plant(void)
{
	on_own_stack = plant_hide(
		plant_sized(504, PLANT_DEFINITE, "left on the program's own stack"));
	on_stack = plant_hide(plant_sized(520, PLANT_DEFINITE, "left on a stack"));
	plant_fence();
}

/* The pointer stands well below what the caller calls next. */
__attribute__((noinline)) static void leave(uintptr_t hidden)
{
	void *volatile frame[512];
	memset((void *)frame, 0, sizeof(frame));
	frame[0] = plant_show(hidden);
	PLANT_KEEP(frame);
}

static void *run(void *hidden)
{
	leave((uintptr_t)hidden);
	plant_holding();
	pause();
	return NULL;
}

int main(int argc, char **argv)
{
	plant_run(plant);
	void *own = mmap(NULL, STACK_BYTES, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (own == MAP_FAILED)
		return 1;
	plant_thread(run, on_stack);
	plant_thread_on(own, STACK_BYTES, run, on_own_stack);
	plant_wait(argc, argv);
}
