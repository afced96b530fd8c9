/* cpu: x86-64. DWARF numbers and who saves what: the System V ABI, figures 3.36 and 3.4. */
#ifndef SEEP_UNWIND_CPU_X86_64_H
#define SEEP_UNWIND_CPU_X86_64_H

#include <stdint.h>

#include "unwind/unwind.h"

enum {
	CPU_BP = 6, /* rbp */
	CPU_SP = 7, /* rsp */
	CPU_PC = 16,
	CPU_NR_REGISTERS = 17,
};

/* A call leaves these as they were: rbx, rbp, r12 to r15. */
#define CPU_CALLEE_SAVED (UINT64_C(1) << 3 | UINT64_C(1) << 6 | UINT64_C(0xf) << 12)

#define CPU_PLACES                                                                       \
	{                                                                                \
		{ CPU_PC, offsetof(struct unwind_registers, pc) },                       \
			{ CPU_SP, offsetof(struct unwind_registers, sp) },               \
			{ CPU_BP, offsetof(struct unwind_registers, bp) },               \
			{ 3, offsetof(struct unwind_registers, bx) },                    \
			{ 12, offsetof(struct unwind_registers, r12) },                  \
			{ 13, offsetof(struct unwind_registers, r13) },                  \
			{ 14, offsetof(struct unwind_registers, r14) },                  \
			{ 15, offsetof(struct unwind_registers, r15) },                  \
	}

static inline uint64_t cpu_bp(const struct unwind_registers *registers)
{
	return registers->bp;
}

/* A return address as it lies in memory, to the address that it means. */
static inline uint64_t cpu_return_address(uint64_t word)
{
	return word;
}

static inline uint64_t cpu_thread_pointer(void)
{
	uint64_t
		pointer; /* its first word points to itself: ELF handling for TLS, 3.4.6 */
	__asm__("movq %%fs:0, %0" : "=r"(pointer));
	return pointer;
}

#endif
