/* inject: see inject.h. */
#include "target/inject.h"

#include <elf.h>
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/vec.h"
#include "target/process.h"

/* Newer than the headers of Debian 12; from <linux/ptrace.h>. */
#define GET_RSEQ_CONFIGURATION           0x420fu /* since Linux 5.13 */
#define GET_SYSCALL_USER_DISPATCH_CONFIG 0x4211u /* since Linux 6.4 */

/* The tracer's view of stops, in the upper bits of a wait status. */
#define STOP_EVENT(status)   ((status) >> 16)
#define SYSCALL_STOP         (SIGTRAP | 0x80)
#define KERNEL_MASK_BYTES    8u
#define SIGCONT_BIT          (1ull << (SIGCONT - 1))
#define RSEQ_CRITICAL_OFFSET 8u /* of rseq_cs in struct rseq */

struct rseq_configuration {
	uint64_t address;
	uint32_t size, signature, flags, pad;
};

struct dispatch_config {
	uint64_t mode, selector, offset, length;
};

/* A thread inside a restartable sequence must not come back into its middle. */
static bool is_in_sequence(pid_t tid)
{
	struct rseq_configuration rseq = { 0 };
	uint64_t critical = 0;
	if (ptrace((enum __ptrace_request)GET_RSEQ_CONFIGURATION, tid, sizeof(rseq),
		   &rseq) < 0 ||
	    !rseq.address)
		return false;
	struct iovec local = { .iov_base = &critical, .iov_len = sizeof(critical) };
	struct iovec remote = {
		.iov_base = (void *)(uintptr_t)(rseq.address + RSEQ_CRITICAL_OFFSET),
		.iov_len = sizeof(critical),
	};
	return process_vm_readv(tid, &local, 1, &remote, 1, 0) != sizeof(critical) ||
	       critical != 0;
}

static bool is_dispatched(pid_t tid)
{
	struct dispatch_config config = { 0 };
	return ptrace((enum __ptrace_request)GET_SYSCALL_USER_DISPATCH_CONFIG, tid,
		      sizeof(config), &config) == 0 &&
	       config.mode != 0;
}

bool inject_is_possible(pid_t tid)
{
	return !is_in_sequence(tid) && !is_dispatched(tid);
}

static struct error *failed(const struct injection *injection, const char *what)
{
	int cause = errno;
	return error_create(cause == ESRCH ? ERROR_REFUSED : ERROR_SYSTEM,
			    cause == ESRCH ? "thread %d ended while %s"
					   : "thread %d: %s failed: %s",
			    (int)injection->tid, what, strerror(cause));
}

static struct error *set_registers(const struct injection *injection,
				   const struct user_regs_struct *registers)
{
	struct iovec iov = { .iov_base = (void *)registers,
			     .iov_len = sizeof(*registers) };
	if (ptrace(PTRACE_SETREGSET, injection->tid, NT_PRSTATUS, &iov) != 0)
		return failed(injection, "its registers were being set");
	return NULL;
}

static struct error *get_registers(const struct injection *injection,
				   struct user_regs_struct *registers)
{
	struct iovec iov = { .iov_base = registers, .iov_len = sizeof(*registers) };
	if (ptrace(PTRACE_GETREGSET, injection->tid, NT_PRSTATUS, &iov) != 0)
		return failed(injection, "its registers were being read");
	return NULL;
}

static struct error *set_mask(const struct injection *injection, uint64_t mask)
{
	if (ptrace(PTRACE_SETSIGMASK, injection->tid, KERNEL_MASK_BYTES, &mask) != 0)
		return failed(injection, "its signal mask was being set");
	return NULL;
}

/* Lets the thread run to its next stop. */
static struct error *go_on(struct injection *injection, enum __ptrace_request how,
			   int *status)
{
	if (ptrace(how, injection->tid, 0, 0) != 0)
		return failed(injection, "it was being resumed");
	pid_t got;
	do
		got = waitpid(injection->tid, status, __WALL);
	while (got < 0 && errno == EINTR);
	if (got < 0)
		return failed(injection, "it was being waited for");
	if (!WIFSTOPPED(*status))
		return error_create(ERROR_REFUSED,
				    "thread %d ended while it made a call for seep",
				    (int)injection->tid);
	return NULL;
}

/* In a system call that the stop cut short, the kernel has it made again when the thread
   leaves that stop. It does not when the thread comes from another: it is put before the
   call. */
void inject_park(struct injection *injection)
{
	enum { RESTART_FIRST = 512, RESTART_BLOCK = 516, SYSCALL_BYTES = 2 };
	struct user_regs_struct *parked = &injection->parked;
	*parked = injection->saved;
	long long number = (long long)parked->orig_rax;
	long long result = (long long)parked->rax;
	parked->orig_rax = (unsigned long long)-1;
	if (number < 0 || result > -RESTART_FIRST || result < -RESTART_BLOCK)
		return;
	parked->rax = result == -RESTART_BLOCK ? SYS_restart_syscall
					       : (unsigned long long)number;
	parked->rip -= SYSCALL_BYTES;
}

struct error *inject_begin(struct injection *injection, pid_t pid, pid_t tid,
			   uint64_t place, unsigned options)
{
	*injection = (struct injection){ .pid = pid, .tid = tid, .place = place };
	struct error *error = get_registers(injection, &injection->saved);
	inject_park(injection);
	if (!error &&
	    ptrace(PTRACE_GETSIGMASK, tid, KERNEL_MASK_BYTES, &injection->mask) != 0)
		error = failed(injection, "its signal mask was being read");
	if (!error && ptrace(PTRACE_SETOPTIONS, tid, 0,
			     options | PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACECLONE) != 0)
		error = failed(injection, "its tracing was being set up");
	return error ? error : set_mask(injection, UINT64_MAX);
}

/* Runs through one system call: to its entry, past what it reports, to its exit. */
static struct error *pass_call(struct injection *injection)
{
	unsigned nr_syscall_stops = 0;
	while (nr_syscall_stops < 2) {
		int status = 0;
		struct error *error = go_on(injection, PTRACE_SYSCALL, &status);
		if (error)
			return error;
		unsigned long message = 0;
		if (WSTOPSIG(status) == SYSCALL_STOP)
			nr_syscall_stops++;
		else if (STOP_EVENT(status) == PTRACE_EVENT_CLONE &&
			 ptrace(PTRACE_GETEVENTMSG, injection->tid, 0, &message) == 0)
			injection->child = (pid_t)message;
		else if (!STOP_EVENT(status) && WSTOPSIG(status) == SIGSTOP)
			injection->stop_signal =
				true; /* the one that no mask holds back */
		else if (STOP_EVENT(status) != PTRACE_EVENT_STOP)
			return error_create(ERROR_SYSTEM,
					    "thread %d stopped with status 0x%x in the "
					    "middle of a call",
					    (int)injection->tid, (unsigned)status);
	}
	return NULL;
}

struct error *inject_call(struct injection *injection, uint64_t number,
			  struct inject_arguments arguments, int64_t *result)
{
	struct user_regs_struct registers = injection->saved;
	registers.rip = injection->place;
	registers.rax = number;
	registers.orig_rax = (unsigned long long)-1; /* nothing is to be made again */
	registers.rdi = arguments.words[0];
	registers.rsi = arguments.words[1];
	registers.rdx = arguments.words[2];
	registers.r10 = arguments.words[3];
	registers.r8 = arguments.words[4];
	registers.r9 = arguments.words[5];
	injection->child = 0;
	struct error *error = set_registers(injection, &registers);
	if (!error)
		error = pass_call(injection);
	if (!error)
		error = get_registers(injection, &registers);
	if (!error)
		*result = (int64_t)registers.rax;
	return error ? error : set_registers(injection, &injection->parked);
}

/* The SIGSTOP that was taken counts, unless a SIGCONT came after it: that one is still on its
   way, since every other thread is stopped and this one blocks it, and a new SIGSTOP would
   take it back. */
static void stop_again(const struct injection *injection)
{
	struct process_status status = { 0 };
	struct error *error = process_status(injection->pid, 0, &status);
	bool continued = !error && (status.pending & SIGCONT_BIT);
	error_destroy(error);
	if (!continued)
		syscall(SYS_tgkill, injection->pid, injection->tid, SIGSTOP);
}

/* A call that is to be made again is made so by the kernel when the thread leaves the stop
   that PTRACE_INTERRUPT makes, but not when it leaves a system call's: the registers are put
   back in a stop of the first kind, before the thread has executed anything. */
struct error *inject_end(struct injection *injection)
{
	int status = 0;
	struct error *error = NULL;
	if (ptrace(PTRACE_INTERRUPT, injection->tid, 0, 0) != 0)
		error = failed(injection, "it was being stopped");
	if (!error)
		error = go_on(injection, PTRACE_CONT, &status);
	if (!error && STOP_EVENT(status) != PTRACE_EVENT_STOP)
		error = error_create(ERROR_SYSTEM,
				     "thread %d stopped with status 0x%x after a call",
				     (int)injection->tid, (unsigned)status);
	if (injection->stop_signal)
		stop_again(injection);
	struct error *put_back = set_registers(injection, &injection->saved);
	if (!put_back)
		put_back = set_mask(injection, injection->mask);
	if (!error)
		return put_back;
	error_destroy(put_back);
	return error;
}
