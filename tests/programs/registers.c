/*
 * registers: blocks that only a register holds while its thread waits in the kernel, and
 * what lies around the stack pointer.
 *
 * The threads get the complement of the pointer and turn it round in the register.
 *
 * expect: definite 296 in 1
 * expect: indirect 312 in 1
 * expect: possible 480 in 2
 * expect: reachable 4288 in 20
 */
#include <stdbool.h>
#include <stdint.h>
#include <sys/syscall.h>

#include "plant.h"

/* plant_holding() comes first: from then on the thread runs only what is written here. */
#define HOLD(name, take)                                                                 \
	static void *name(void *hidden)                                                  \
	{                                                                                \
		plant_holding();                                                         \
		__asm__ volatile(take "\n"                                               \
				      "1:\tmov %0, %%eax\n\t"                            \
				      "syscall\n\t"                                      \
				      "jmp 1b" ::"i"(SYS_pause),                         \
				 "D"(hidden)                                             \
				 : "memory");                                            \
		__builtin_unreachable();                                                 \
	}

#define HOLD_GENERAL(reg) HOLD(hold_##reg, "mov %%rdi, %%" #reg "\n\tnot %%" #reg)

HOLD_GENERAL(rbx)
HOLD_GENERAL(rbp)
HOLD_GENERAL(rdx)
HOLD_GENERAL(r8)
HOLD_GENERAL(r12)
HOLD_GENERAL(r15)

HOLD(hold_xmm, "not %%rdi\n\t"
	       "movq %%rdi, %%xmm7\n\t"
	       "xor %%edi, %%edi")
HOLD(hold_ymm, "not %%rdi\n\t"
	       "movq %%rdi, %%xmm7\n\t"
	       "vinserti128 $1, %%xmm7, %%ymm8, %%ymm8\n\t"
	       "pxor %%xmm7, %%xmm7\n\t"
	       "xor %%edi, %%edi")
HOLD(hold_zmm, "not %%rdi\n\t"
	       "vpbroadcastq %%rdi, %%zmm29\n\t"
	       "xor %%edi, %%edi")
HOLD(hold_interior, "not %%rdi\n\t"
		    "lea 32(%%rdi), %%rbx\n\t"
		    "xor %%edi, %%edi")

/* The ABI lets a leaf function use 128 bytes below the stack pointer. */
HOLD(hold_red_zone, "not %%rdi\n\t"
		    "and $-16, %%rsp\n\t"
		    "mov %%rdi, -64(%%rsp)\n\t"
		    "xor %%edi, %%edi")
HOLD(hold_deep_below, "not %%rdi\n\t"
		      "and $-16, %%rsp\n\t"
		      "mov %%rdi, -4096(%%rsp)\n\t"
		      "xor %%edi, %%edi")

/* Memcheck takes for dead what has been stack before, not what never was. */
__attribute__((noinline)) static void make_stack(void)
{
	volatile char room[8192];
	room[0] = 0;
	PLANT_KEEP(room);
}

static void *hold_below(void *hidden)
{
	make_stack();
	return hold_deep_below(hidden);
}

enum vector { NOT_VECTOR, XMM, YMM, ZMM };

static const struct held {
	const char *shape;
	void *(*hold)(void *);
	void *(*instead)(void *); /* where the CPU has no such register */
	enum plant_kind kind;
	enum vector vector;
} held[] = {
	{ "in rbx", hold_rbx, NULL, PLANT_REACHABLE, NOT_VECTOR },
	{ "in rbp", hold_rbp, NULL, PLANT_REACHABLE, NOT_VECTOR },
	{ "in rdx", hold_rdx, NULL, PLANT_REACHABLE, NOT_VECTOR },
	{ "in r8", hold_r8, NULL, PLANT_REACHABLE, NOT_VECTOR },
	{ "in r12", hold_r12, NULL, PLANT_REACHABLE, NOT_VECTOR },
	{ "in r15", hold_r15, NULL, PLANT_REACHABLE, NOT_VECTOR },
	{ "interior in rbx", hold_interior, NULL, PLANT_POSSIBLE, NOT_VECTOR },
	{ "in the red zone", hold_red_zone, NULL, PLANT_REACHABLE, NOT_VECTOR },
	{ "below the stack", hold_below, NULL, PLANT_DEFINITE, NOT_VECTOR },
	{ "in xmm7", hold_xmm, NULL, PLANT_REACHABLE, XMM },
	{ "in the upper half of ymm8", hold_ymm, hold_xmm, PLANT_REACHABLE, YMM },
	{ "in zmm29", hold_zmm, hold_xmm, PLANT_REACHABLE, ZMM },
};
#define NR_HELD (sizeof(held) / sizeof(held[0]))

static uintptr_t hidden[NR_HELD];

static void plant(void)
{
	for (unsigned i = 0; i < NR_HELD; i++) {
		void **block = plant_block(held[i].kind, held[i].shape);
		bool behind_holder = held[i].kind == PLANT_REACHABLE;
		*block = plant_block(behind_holder                    ? PLANT_REACHABLE
				     : held[i].kind == PLANT_POSSIBLE ? PLANT_POSSIBLE
								      : PLANT_INDIRECT,
				     held[i].shape);
		if (held[i].vector != NOT_VECTOR) {
			const char *why = "Memcheck looks at general registers only";
			plant_differs(block, PLANT_DEFINITE, why);
			plant_differs(*block, PLANT_INDIRECT, why);
		}
		hidden[i] = plant_hide(block);
	}
}

static bool cpu_has(enum vector vector)
{
	return vector == ZMM   ? __builtin_cpu_supports("avx512f")
	       : vector == YMM ? __builtin_cpu_supports("avx2")
			       : true;
}

int main(int argc, char **argv)
{
	plant_run(plant);
	for (unsigned i = 0; i < NR_HELD; i++)
		plant_thread(cpu_has(held[i].vector) ? held[i].hold : held[i].instead,
			     hidden[i]);
	plant_wait(argc, argv);
}
