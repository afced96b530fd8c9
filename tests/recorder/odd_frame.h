/*
 * odd_frame: a frame that is found by another register than the quick ones, as that of x86-64's
 * loader is that binds symbols; it calls dive(depth - 1).
 */
#ifndef SEEP_TESTS_ODD_FRAME_H
#define SEEP_TESTS_ODD_FRAME_H

#include "shapes.h"

#if defined(__x86_64__)
__asm__(".text\n"
	".type odd_frame, @function\n"
	"odd_frame:\n"
	".cfi_startproc\n"
	"pushq %rbx\n"
	".cfi_def_cfa_offset 16\n"
	".cfi_offset rbx, -16\n"
	"movq %rsp, %rbx\n"
	".cfi_def_cfa_register rbx\n"
	"subq $40, %rsp\n"
	"andq $-64, %rsp\n"
	"decl %edi\n"
	"call dive\n"
	"movq %rbx, %rsp\n"
	".cfi_def_cfa_register rsp\n"
	"popq %rbx\n"
	".cfi_def_cfa_offset 8\n"
	"ret\n"
	".cfi_endproc\n"
	".size odd_frame, . - odd_frame\n");
#elif defined(__aarch64__)
__asm__(".text\n"
	".type odd_frame, @function\n"
	"odd_frame:\n"
	".cfi_startproc\n"
	"stp x19, x30, [sp, -16]!\n"
	".cfi_def_cfa_offset 16\n"
	".cfi_offset x19, -16\n"
	".cfi_offset x30, -8\n"
	"mov x19, sp\n"
	".cfi_def_cfa_register x19\n"
	"sub sp, sp, 48\n"
	"sub w0, w0, 1\n"
	"bl dive\n"
	"mov sp, x19\n"
	".cfi_def_cfa_register sp\n"
	"ldp x19, x30, [sp], 16\n"
	".cfi_restore x19\n"
	".cfi_restore x30\n"
	".cfi_def_cfa_offset 0\n"
	"ret\n"
	".cfi_endproc\n"
	".size odd_frame, . - odd_frame\n");
#endif

#ifdef __cplusplus
extern "C"
#endif
	void
	odd_frame(int depth);

#endif
