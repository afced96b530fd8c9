/* cpu: arm64. DWARF numbers: "DWARF for the Arm 64-bit Architecture", 4.1. */
#ifndef SEEP_UNWIND_CPU_AARCH64_H
#define SEEP_UNWIND_CPU_AARCH64_H

#include <stdint.h>

#include "unwind/unwind.h"

enum {
	CPU_BP = 29, /* the frame pointer */
	CPU_LR = 30,
	CPU_SP = 31,
	CPU_PC = 32,
	CPU_NR_REGISTERS = 33,
};

/* A call leaves these as they were: x19 to x29, and lr where it was not saved (AAPCS64). */
#define CPU_CALLEE_SAVED (UINT64_C(0xfff) << 19)

#define CPU_PLACES                                                                       \
	{                                                                                \
		{ CPU_PC, offsetof(struct unwind_registers, pc) },                       \
			{ CPU_SP, offsetof(struct unwind_registers, sp) },               \
			{ 19, offsetof(struct unwind_registers, x19[0]) },               \
			{ 20, offsetof(struct unwind_registers, x19[1]) },               \
			{ 21, offsetof(struct unwind_registers, x19[2]) },               \
			{ 22, offsetof(struct unwind_registers, x19[3]) },               \
			{ 23, offsetof(struct unwind_registers, x19[4]) },               \
			{ 24, offsetof(struct unwind_registers, x19[5]) },               \
			{ 25, offsetof(struct unwind_registers, x19[6]) },               \
			{ 26, offsetof(struct unwind_registers, x19[7]) },               \
			{ 27, offsetof(struct unwind_registers, x19[8]) },               \
			{ 28, offsetof(struct unwind_registers, x19[9]) },               \
			{ 29, offsetof(struct unwind_registers, x19[10]) },              \
			{ CPU_LR, offsetof(struct unwind_registers, lr) },               \
	}

static inline uint64_t cpu_bp(const struct unwind_registers *registers)
{
	return registers->x19[10];
}

/* Takes the signature off that pointer authentication may have put in: xpaclri, an
   instruction that older processors take for none. */
static inline uint64_t cpu_return_address(uint64_t word)
{
	register uint64_t lr __asm__("x30") = word;
	__asm__("hint #7" : "+r"(lr));
	return lr;
}

static inline uint64_t cpu_thread_pointer(void)
{
	uint64_t pointer;
	__asm__("mrs %0, tpidr_el0" : "=r"(pointer));
	return pointer;
}

#endif
