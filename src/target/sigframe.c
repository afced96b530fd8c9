/*
 * sigframe: see sigframe.h. Layouts: <asm/sigcontext.h>, <asm/ucontext.h> and the kernel's
 * arch/x86/kernel/fpu/signal.c (what it accepts as the vector registers' part).
 */
#include "target/sigframe.h"

#include <asm/sigcontext.h>
#include <assert.h>
#include <elf.h>
#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/uio.h>

/* <asm/ucontext.h> and the C library's <ucontext.h> cannot both be had. */
struct frame {
	uint64_t flags, link;
	uint64_t stack_pointer;
	uint32_t stack_flags, pad;
	uint64_t stack_size;
	struct sigcontext context;
	uint64_t mask;
};
static_assert(offsetof(struct frame, context) == 40,
	      "as in the kernel's struct ucontext");
static_assert(offsetof(struct frame, mask) == 40 + 256, "as in struct ucontext");

enum frame_flags {
	HAS_VECTORS = 1 << 0, /* UC_FP_XSTATE */
	HAS_STACK_SEGMENT = 1 << 1,
	STRICT_STACK_SEGMENT = 1 << 2,
};

/* No value of these flags is valid: the kernel then leaves the alternate stack as it is. */
#define KEEP_ALTERNATE_STACK UINT32_MAX
#define VECTORS_OFFSET       512u
#define SOFTWARE_OFFSET      464u /* of struct _fpx_sw_bytes in the vectors' part */

static void fill_context(struct sigcontext *context,
			 const struct user_regs_struct *registers)
{
	context->r8 = registers->r8;
	context->r9 = registers->r9;
	context->r10 = registers->r10;
	context->r11 = registers->r11;
	context->r12 = registers->r12;
	context->r13 = registers->r13;
	context->r14 = registers->r14;
	context->r15 = registers->r15;
	context->rdi = registers->rdi;
	context->rsi = registers->rsi;
	context->rbp = registers->rbp;
	context->rbx = registers->rbx;
	context->rdx = registers->rdx;
	context->rax = registers->rax;
	context->rcx = registers->rcx;
	context->rsp = registers->rsp;
	context->rip = registers->rip;
	context->eflags = registers->eflags;
	context->cs = (uint16_t)registers->cs;
	context->ss = (uint16_t)registers->ss;
}

/* The registers as ptrace gives them need but the marks of a signal frame. */
static struct error *fill_vectors(pid_t tid, unsigned char *bytes, size_t room)
{
	struct iovec iov = { .iov_base = bytes,
			     .iov_len = (room - FP_XSTATE_MAGIC2_SIZE) & ~7u };
	if (ptrace(PTRACE_GETREGSET, tid, NT_X86_XSTATE, &iov) != 0)
		return error_create(ERROR_SYSTEM,
				    "cannot read the registers of thread %d: %s",
				    (int)tid, strerror(errno));
	uint32_t size = (uint32_t)iov.iov_len;
	struct _fpx_sw_bytes software = {
		.magic1 = FP_XSTATE_MAGIC1,
		.extended_size = size + FP_XSTATE_MAGIC2_SIZE,
		.xstate_size = size,
	};
	/* ptrace gives the mask of all features here. */
	memcpy(&software.xfeatures, bytes + SOFTWARE_OFFSET, sizeof(software.xfeatures));
	memcpy(bytes + SOFTWARE_OFFSET, &software, sizeof(software));
	const uint32_t magic = FP_XSTATE_MAGIC2;
	memcpy(bytes + size, &magic, sizeof(magic));
	return NULL;
}

struct error *sigframe_make(pid_t tid, const struct user_regs_struct *registers,
			    uint64_t mask, uint64_t address, void *bytes)
{
	struct frame frame = {
		.flags = HAS_VECTORS | HAS_STACK_SEGMENT | STRICT_STACK_SEGMENT,
		.stack_flags = KEEP_ALTERNATE_STACK,
		.mask = mask,
	};
	fill_context(&frame.context, registers);
	frame.context.fpstate = (struct _fpstate *)(uintptr_t)(address + VECTORS_OFFSET);
	memset(bytes, 0, SIGFRAME_MAX);
	memcpy(bytes, &frame, sizeof(frame));
	return fill_vectors(tid, (unsigned char *)bytes + VECTORS_OFFSET,
			    SIGFRAME_MAX - VECTORS_OFFSET);
}
