/*
 * here: the registers at a point of the calling function, for unwind_stack().
 */
#ifndef SEEP_UNWIND_HERE_H
#define SEEP_UNWIND_HERE_H

#include "unwind/unwind.h"

/* Always in the function that it stands in, whose own frame is the first to be walked. */
#if defined(__x86_64__)
static inline __attribute__((always_inline)) void unwind_here(
	struct unwind_registers *registers)
{
	__asm__ volatile("leaq 0f(%%rip), %%rax\n\t"
			 "0: movq %%rax, 0(%0)\n\t"
			 "movq %%rsp, 8(%0)\n\t"
			 "movq %%rbp, 16(%0)\n\t"
			 "movq %%rbx, 24(%0)\n\t"
			 "movq %%r12, 32(%0)\n\t"
			 "movq %%r13, 40(%0)\n\t"
			 "movq %%r14, 48(%0)\n\t"
			 "movq %%r15, 56(%0)\n\t"
			 :
			 : "r"(registers)
			 : "rax", "memory");
}
#endif

#endif
