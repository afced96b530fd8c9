/*
 * wipe: leaves no trace of earlier calls below the caller's frame or in its registers,
 * so that a program can promise that nothing points to a block any more.
 *
 * Registers that a called function must preserve are the caller's own business: it holds
 * no such pointer itself, and functions that held one have restored what was there
 * before.
 */
#ifndef SEEP_BENCH_WIPE_H
#define SEEP_BENCH_WIPE_H

#include <stddef.h>

enum { STACK_WIPE_BYTES = 256 << 10 };

static void __attribute__((noinline)) wipe_stack_and_registers(void)
{
	volatile char below[STACK_WIPE_BYTES];

	for (size_t i = 0; i < sizeof(below); i++)
		below[i] = 0;
#if defined(__x86_64__)
	__asm__ volatile(
		"xor %%eax, %%eax; xor %%ecx, %%ecx; xor %%edx, %%edx; xor %%esi, %%esi;"
		"xor %%edi, %%edi; xor %%r8d, %%r8d; xor %%r9d, %%r9d;"
		"xor %%r10d, %%r10d; xor %%r11d, %%r11d"
		:
		:
		: "rax", "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11", "cc");
	if (__builtin_cpu_supports("avx"))
		__asm__ volatile("vzeroall" : : : "memory");
	if (__builtin_cpu_supports("avx512f"))
		__asm__ volatile(
			"vpxorq %%zmm16, %%zmm16, %%zmm16; vmovdqa64 %%zmm16, %%zmm17;"
			"vmovdqa64 %%zmm16, %%zmm18; vmovdqa64 %%zmm16, %%zmm19;"
			"vmovdqa64 %%zmm16, %%zmm20; vmovdqa64 %%zmm16, %%zmm21;"
			"vmovdqa64 %%zmm16, %%zmm22; vmovdqa64 %%zmm16, %%zmm23;"
			"vmovdqa64 %%zmm16, %%zmm24; vmovdqa64 %%zmm16, %%zmm25;"
			"vmovdqa64 %%zmm16, %%zmm26; vmovdqa64 %%zmm16, %%zmm27;"
			"vmovdqa64 %%zmm16, %%zmm28; vmovdqa64 %%zmm16, %%zmm29;"
			"vmovdqa64 %%zmm16, %%zmm30; vmovdqa64 %%zmm16, %%zmm31"
			:
			:
			: "memory");
#endif
}

#endif
