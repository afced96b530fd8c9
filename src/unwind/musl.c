/* musl: see musl.h. */
#include "unwind/musl.h"

#include <assert.h>
#include <err.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>
#include <threads.h>
#include <unistd.h>

#include "unwind/epilogue.h"
#include "unwind/rule.h"

/* NOLINTNEXTLINE(bugprone-reserved-identifier): the name is libc's */
extern _Noreturn void __stack_chk_fail(void);

/* What does not return. A libc may lack some, or have them elsewhere: it is not musl then. */
#pragma weak _Exit
#pragma weak __assert_fail
#pragma weak __stack_chk_fail
#pragma weak _exit
#pragma weak abort
#pragma weak err
#pragma weak errx
#pragma weak exit
#pragma weak longjmp
#pragma weak pthread_exit
#pragma weak quick_exit
#pragma weak siglongjmp
#pragma weak thrd_exit
#pragma weak verr
#pragma weak verrx

#define ENDING(function) (void (*)(void)) function
static void (*const endings[])(void) = {
	ENDING(_Exit),      ENDING(__assert_fail), ENDING(abort),
	ENDING(err),        ENDING(errx),          ENDING(exit),
	ENDING(longjmp),    ENDING(pthread_exit),  ENDING(quick_exit),
	ENDING(siglongjmp), ENDING(thrd_exit),     ENDING(verr),
	ENDING(verrx),      ENDING(_exit),         ENDING(__stack_chk_fail),
};
enum { NR_ENDINGS = sizeof(endings) / sizeof(endings[0]) };

/* A program may have functions of these names itself. */
bool musl_is_in(uint64_t low, uint64_t high)
{
	for (size_t i = 0; i < NR_ENDINGS; i++)
		if ((uintptr_t)endings[i] - low >= high - low)
			return false;
	return true;
}

#if defined(__x86_64__)

/* mov $SYS_rt_sigreturn, %rax; syscall */
static const uint8_t sigreturn[] = { 0x48, 0xc7, 0xc0, 0x0f, 0, 0, 0, 0x0f, 0x05 };

/* The kernel's struct ucontext, which sp points to when a handler has returned, has the registers
   from 40 on: r8 … r15, di, si, bp, bx, dx, ax, cx, sp, ip (arch/x86/include/uapi/asm/sigcontext.h).
   By their numbers in DWARF. */
static const struct {
	uint8_t number, place;
} saved[] = { { 12, 4 },      { 13, 5 }, { 14, 6 },      { 15, 7 },
	      { CPU_BP, 10 }, { 3, 11 }, { CPU_SP, 15 }, { CPU_PC, 16 } };

static bool find_signal_frame(const struct bytes *code, uint64_t pc, struct row *row)
{
	uint64_t offset = pc - code->address;
	if (pc & PC_EXACT || code->size < sizeof(sigreturn) ||
	    offset > code->size - sizeof(sigreturn) ||
	    memcmp(code->at + offset, sigreturn, sizeof(sigreturn)) != 0)
		return false;
	*row = (struct row){ .cfa_kind = ROW_REGISTER_AND_MORE, .cfa_register = CPU_SP };
	for (size_t i = 0; i < sizeof(saved) / sizeof(saved[0]); i++) {
		row->kinds[saved[i].number] = ROW_AT_CFA;
		row->values[saved[i].number] = 40 + 8 * saved[i].place;
	}
	return true;
}

#else

/* unwind/sigreturn.h knows it. */
static bool find_signal_frame(const struct bytes *code, uint64_t pc, struct row *row)
{
	(void)code;
	(void)pc;
	(void)row;
	return false;
}

#endif

bool musl_row(const struct bytes *code, uint64_t pc, struct row *row,
	      bool *is_signal_frame)
{
	const struct epilogue_code whole = { *code, endings, NR_ENDINGS };
	*is_signal_frame = find_signal_frame(code, pc, row);
	return *is_signal_frame ||
	       epilogue_find(&whole, pc & ~PC_EXACT, pc & PC_EXACT, row);
}
