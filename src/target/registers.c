/* registers: see registers.h. */
#include "target/registers.h"

#include <elf.h>
#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>

#include "target/process.h"

/* The XSAVE area grows with the processor's features: 2.7 KiB with AVX-512, 11 KiB with AMX. */
#define XSAVE_MAX 16384u
/* Its first bytes are control words, not registers (Intel SDM vol. 1, 13.4.1). */
#define XSAVE_REGISTERS 32u

static const size_t general_offsets[] = {
	offsetof(struct user_regs_struct, rax),
	offsetof(struct user_regs_struct, rbx),
	offsetof(struct user_regs_struct, rcx),
	offsetof(struct user_regs_struct, rdx),
	offsetof(struct user_regs_struct, rsi),
	offsetof(struct user_regs_struct, rdi),
	offsetof(struct user_regs_struct, rbp),
	offsetof(struct user_regs_struct, r8),
	offsetof(struct user_regs_struct, r9),
	offsetof(struct user_regs_struct, r10),
	offsetof(struct user_regs_struct, r11),
	offsetof(struct user_regs_struct, r12),
	offsetof(struct user_regs_struct, r13),
	offsetof(struct user_regs_struct, r14),
	offsetof(struct user_regs_struct, r15),
	offsetof(struct user_regs_struct, fs_base),
	offsetof(struct user_regs_struct, gs_base),
};

static struct error *read_set(pid_t tid, int set, void *buffer, size_t *size)
{
	struct iovec iov = { .iov_base = buffer, .iov_len = *size };
	if (ptrace(PTRACE_GETREGSET, tid, set, &iov) != 0)
		return error_create(ERROR_SYSTEM,
				    "cannot read the registers of thread %d: %s",
				    (int)tid, strerror(errno));
	*size = iov.iov_len;
	return NULL;
}

/* The words of `thread` from its raw registers. */
static struct error *fill_words(struct thread *thread)
{
	size_t nr_general = ARRAY_SIZE(general_offsets);
	size_t nr_vectors = thread->vectors_size / sizeof(uint64_t);
	size_t nr_skipped = XSAVE_REGISTERS / sizeof(uint64_t);
	nr_vectors = nr_vectors > nr_skipped ? nr_vectors - nr_skipped : 0;
	thread->words = calloc(nr_general + nr_vectors, sizeof(uint64_t));
	if (!thread->words)
		return error_no_memory();
	for (size_t i = 0; i < nr_general; i++)
		memcpy(&thread->words[i], thread->general + general_offsets[i],
		       sizeof(uint64_t));
	if (nr_vectors)
		memcpy(thread->words + nr_general, thread->vectors + XSAVE_REGISTERS,
		       nr_vectors * sizeof(uint64_t));
	thread->nr_general = nr_general;
	thread->nr_words = nr_general + nr_vectors;
	return NULL;
}

struct error *registers_fill(const struct user_regs_struct *general, const void *vectors,
			     size_t vectors_size, struct thread *thread)
{
	const size_t general_size = sizeof(*general);
	*thread = (struct thread){
		.pc = general->rip,
		.sp = general->rsp,
		.thread_pointer = general->fs_base,
		.general = malloc(general_size),
		.vectors = malloc(vectors_size + 1),
		.vectors_size = vectors_size,
	};
	struct error *error = NULL;
	if (!thread->general || !thread->vectors) {
		error = error_no_memory();
	} else {
		memcpy(thread->general, general, general_size);
		if (vectors_size)
			memcpy(thread->vectors, vectors, vectors_size);
		error = fill_words(thread);
	}
	if (error)
		thread_deinit(thread);
	return error;
}

struct error *registers_read(pid_t tid, struct thread *thread)
{
	struct user_regs_struct general;
	size_t size = sizeof(general);
	struct error *error = read_set(tid, NT_PRSTATUS, &general, &size);
	if (error)
		return error;
	unsigned char vectors[XSAVE_MAX];
	size = sizeof(vectors);
	error = read_set(tid, NT_X86_XSTATE, vectors, &size);
	if (!error)
		error = registers_fill(&general, vectors, size, thread);
	if (!error)
		thread->tid = tid;
	return error;
}

/* Calls that report EINTR for a mere stop and have then done nothing yet. connect() is
   missing on purpose: made again it fails with EALREADY. */
static bool call_can_be_made_again(uint64_t number)
{
	static const uint16_t numbers[] = {
		SYS_epoll_wait,   SYS_epoll_pwait,   SYS_epoll_pwait2,
		SYS_semop,        SYS_semtimedop,    SYS_rt_sigtimedwait,
		SYS_io_getevents, SYS_io_pgetevents, SYS_io_uring_enter,
		SYS_read,         SYS_readv,         SYS_write,
		SYS_writev,       SYS_recvfrom,      SYS_recvmsg,
		SYS_recvmmsg,     SYS_sendto,        SYS_sendmsg,
		SYS_sendmmsg,     SYS_accept,        SYS_accept4,
	};
	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++)
		if (numbers[i] == number)
			return true;
	return false;
}

static bool handler_is_waiting(pid_t pid, pid_t tid)
{
	struct process_status status;
	struct error *error = process_status(pid, tid, &status);
	if (error) {
		error_destroy(error);
		return true;
	}
	return (status.pending & status.caught & ~status.blocked) != 0;
}

/* `syscall` is two bytes: 0f 05. */
static bool is_syscall_instruction(pid_t tid, uint64_t address)
{
	uint16_t code = 0;
	struct iovec local = { .iov_base = &code, .iov_len = sizeof(code) };
	struct iovec remote = { .iov_base = (void *)(uintptr_t)address,
				.iov_len = sizeof(code) };
	return process_vm_readv(tid, &local, 1, &remote, 1, 0) == sizeof(code) &&
	       code == 0x050f;
}

void registers_put_call_back(pid_t pid, pid_t tid)
{
	struct user_regs_struct regs;
	size_t size = sizeof(regs);
	struct error *error = read_set(tid, NT_PRSTATUS, &regs, &size);
	if (error) {
		error_destroy(error);
		return;
	}
	if ((long long)regs.rax != -EINTR || !call_can_be_made_again(regs.orig_rax) ||
	    handler_is_waiting(pid, tid) || !is_syscall_instruction(tid, regs.rip - 2))
		return;
	regs.rip -= 2;
	regs.rax = regs.orig_rax;
	regs.orig_rax = (unsigned long long)-1;
	struct iovec iov = { .iov_base = &regs, .iov_len = sizeof(regs) };
	ptrace(PTRACE_SETREGSET, tid, NT_PRSTATUS, &iov);
}
