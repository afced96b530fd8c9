/* sigreturn: see sigreturn.h. */
#include "unwind/sigreturn.h"

#if defined(__aarch64__)

#include <signal.h>
#include <ucontext.h>

#include "unwind/memory.h"
#include "unwind/rule.h"

/* mov x8, #__NR_rt_sigreturn; svc #0 */
#define SIGRETURN UINT64_C(0xd4000001d2801168)

/* What sp points to when a handler has returned: struct rt_sigframe of arch/arm64/kernel/signal.c. */
struct signal_frame {
	siginfo_t info;
	ucontext_t context;
};

#define REGISTER_OFFSET(member)                                                          \
	((int32_t)offsetof(struct signal_frame, context.uc_mcontext.member))
static_assert(REGISTER_OFFSET(regs) == 312, "the kernel's, whatever libc it is");

static void put(struct row *row, unsigned number, int32_t offset)
{
	row->kinds[number] = ROW_AT_CFA;
	row->values[number] = offset;
}

bool sigreturn_row(uint64_t pc, struct row *row)
{
	if (pc & (PC_EXACT | 3) || !memory_is_readable(pc) ||
	    !memory_is_readable(pc + sizeof(uint64_t) - 1) || memory_at(pc) != SIGRETURN)
		return false;
	*row = (struct row){ .cfa_kind = ROW_REGISTER_AND_MORE, .cfa_register = CPU_SP };
	for (unsigned i = 0; i <= CPU_LR; i++)
		put(row, i, REGISTER_OFFSET(regs) + (int32_t)(i * sizeof(uint64_t)));
	put(row, CPU_SP, REGISTER_OFFSET(sp));
	put(row, CPU_PC, REGISTER_OFFSET(pc));
	return true;
}

#else

bool sigreturn_row(uint64_t pc, struct row *row)
{
	(void)pc;
	(void)row;
	return false;
}

#endif
