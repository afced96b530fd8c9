/*
 * here: unwind_here(registers) fills a struct unwind_registers with the registers as they are
 * at that point of the function that it stands in. They hold until that function returns; it
 * must not be inlined where its own frame matters.
 */
#ifndef SEEP_UNWIND_HERE_H
#define SEEP_UNWIND_HERE_H

#include "unwind/unwind.h"

#if defined(__x86_64__)
#define unwind_here(registers)                                                           \
	__asm__ volatile("leaq 0(%%rip), %%rax\n\t"                                      \
			 "movq %%rax, 0(%0)\n\t"                                         \
			 "movq %%rsp, 8(%0)\n\t"                                         \
			 "movq %%rbp, 16(%0)\n\t"                                        \
			 "movq %%rbx, 24(%0)\n\t"                                        \
			 "movq %%r12, 32(%0)\n\t"                                        \
			 "movq %%r13, 40(%0)\n\t"                                        \
			 "movq %%r14, 48(%0)\n\t"                                        \
			 "movq %%r15, 56(%0)"                                            \
			 :                                                               \
			 : "r"(registers)                                                \
			 : "rax", "memory")
#elif defined(__aarch64__)
#define unwind_here(registers)                                                           \
	__asm__ volatile("adr x9, .\n\t"                                                 \
			 "mov x10, sp\n\t"                                               \
			 "stp x9, x10, [%0]\n\t"                                         \
			 "stp x19, x20, [%0, 16]\n\t"                                    \
			 "stp x21, x22, [%0, 32]\n\t"                                    \
			 "stp x23, x24, [%0, 48]\n\t"                                    \
			 "stp x25, x26, [%0, 64]\n\t"                                    \
			 "stp x27, x28, [%0, 80]\n\t"                                    \
			 "stp x29, x30, [%0, 96]"                                        \
			 :                                                               \
			 : "r"(registers)                                                \
			 : "x9", "x10", "memory")
#endif

#endif
