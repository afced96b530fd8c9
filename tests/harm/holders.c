/*
 * holders: a program that ends while eight threads go on, half of them running and half
 * waiting in the kernel, each holding the last pointer to two blocks in a register or on
 * its stack. Three other blocks are lost.
 *
 * Usage: holders exit|_exit|thread-exit|killed
 *
 * expect: definite 8008 in 1
 * expect: indirect 96 in 2
 */
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "plant.h"

/* A system call that does not return. */
struct wait {
	long number, arguments[4];
};

struct holder {
	void *(*hold)(void *holder);
	struct wait wait;
	uintptr_t hidden;
};

static int nr_holding;

/* The pointer, turned round, is in rdi; from `take` on it stands where the name says, and
   only what is written here runs. */
#define HOLD(name, take, rest)                                                           \
	static void *name(void *argument)                                                \
	{                                                                                \
		const struct holder *holder = argument;                                  \
		__asm__ volatile("not %%rdi\n\t" take "\n\t"                             \
				 "xor %%edi, %%edi\n\t"                                  \
				 "lock incl (%[count])\n" rest ::"D"(holder->hidden),    \
				 [count] "a"(&nr_holding), "S"(&holder->wait)            \
				 : "memory");                                            \
		__builtin_unreachable();                                                 \
	}

#define SPIN                                                                             \
	"1:\tpause\n\t"                                                                  \
	"jmp 1b"
#define WAIT                                                                             \
	"mov %%rsi, %%r15\n"                                                             \
	"1:\tmov 0(%%r15), %%rax\n\t"                                                    \
	"mov 8(%%r15), %%rdi\n\t"                                                        \
	"mov 16(%%r15), %%rsi\n\t"                                                       \
	"mov 24(%%r15), %%rdx\n\t"                                                       \
	"mov 32(%%r15), %%r10\n\t"                                                       \
	"syscall\n\t"                                                                    \
	"jmp 1b"

HOLD(spin_rbx, "mov %%rdi, %%rbx", SPIN)
HOLD(spin_r13, "mov %%rdi, %%r13", SPIN)
HOLD(spin_xmm, "movq %%rdi, %%xmm9", SPIN)
HOLD(spin_stack, "push %%rdi\n\tpush %%rdi", SPIN)
HOLD(wait_r12, "mov %%rdi, %%r12", WAIT)
HOLD(wait_r14, "mov %%rdi, %%r14", WAIT)
HOLD(wait_xmm, "movq %%rdi, %%xmm5", WAIT)
HOLD(wait_red_zone, "and $-16, %%rsp\n\tmov %%rdi, -64(%%rsp)", WAIT)

static const struct timespec long_time = { .tv_sec = 1000 };
static int futex_word;

static struct holder holders[] = {
	{ .hold = spin_rbx },
	{ .hold = spin_r13 },
	{ .hold = spin_xmm },
	{ .hold = spin_stack },
	{ .hold = wait_r12, .wait = { SYS_futex, { (long)&futex_word } } },
	{ .hold = wait_r14, .wait = { SYS_ppoll, { 0, 0, 0, 0 } } },
	{ .hold = wait_xmm, .wait = { SYS_nanosleep, { (long)&long_time } } },
	{ .hold = wait_red_zone, .wait = { SYS_poll, { 0, 0, -1 } } },
};
#define NR_HOLDERS ((int)(sizeof(holders) / sizeof(holders[0])))

static void plant(void)
{
	void **head = plant_sized(8008, PLANT_DEFINITE, "lost list");
	head[0] = plant_block(PLANT_INDIRECT, "lost list: tail");
	head[1] = plant_block(PLANT_INDIRECT, "lost list: tail");
	for (int i = 0; i < NR_HOLDERS; i++) {
		void **block = plant_block(PLANT_REACHABLE, "held");
		*block = plant_block(PLANT_REACHABLE, "held: tail");
		holders[i].hidden = plant_hide(block);
	}
	plant_fence();
}

static void start(void *(*run)(void *), void *argument)
{
	pthread_t thread;
	if (pthread_create(&thread, NULL, run, argument) != 0)
		_exit(99);
}

static void *end_in_thread(void *argument)
{
	(void)argument;
	exit(14);
}

static int end_by(const char *way)
{
	if (strcmp(way, "exit") == 0)
		exit(12);
	if (strcmp(way, "_exit") == 0)
		_exit(13);
	if (strcmp(way, "killed") == 0)
		raise(SIGTERM);
	if (strcmp(way, "thread-exit") == 0) {
		start(end_in_thread, NULL);
		plant_pause();
	}
	fprintf(stderr, "holders: no way %s\n", way);
	return 2;
}

int main(int argc, char **argv)
{
	plant_run(plant);
	for (int i = 0; i < NR_HOLDERS; i++)
		start(holders[i].hold, &holders[i]);
	while (__atomic_load_n(&nr_holding, __ATOMIC_ACQUIRE) < NR_HOLDERS)
		usleep(100);
	plant_ready();
	return end_by(argc > 1 ? argv[1] : "exit");
}
