/* copy: see copy.h. */
#include "target/copy.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/close_range.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>

#include "base/cleanup.h"
#include "target/inject.h"
#include "target/process.h"
#include "target/sigframe.h"

#define PAGE_BYTES 4096u
/* Code in the first 64 bytes, the way back behind them. */
#define FRAME_OFFSET 64u
#define MAPPED_BYTES (6 * PAGE_BYTES)
#define VDSO_MAX     16384u

/*
 * What is mapped into the process. Each side of clone() goes on behind it only if the tracer is
 * no more: the copy can then only exit, and the original goes back to where it was.
 *
 *	 0	syscall			clone(), made by the original
 *	 2	test %eax, %eax
 *	 4	jne  17
 *	 6	xor  %edi, %edi		the copy
 *	 8	mov  $231, %eax
 *	13	syscall			exit_group(0)
 *	15	jmp  6
 *	17	movabs $FRAME, %rsp	the original
 *	27	mov  $15, %eax
 *	32	syscall			rt_sigreturn()
 *	40	the name that the copy gets
 *	64	the frame
 */
#define WAY_BACK_OPERAND 19u
/* Where the copy makes calls of its own: nothing leads from there to the way back. */
#define COPY_PLACE     13u
#define WAY_BACK_PLACE 17u
#define NAME_OFFSET    40u
static const unsigned char page_code[FRAME_OFFSET] = {
	0x0f, 0x05, 0x85, 0xc0, 0x75, 0x0b, 0x31, 0xff, 0xb8, 0xe7, 0x00, 0x00, 0x00,
	0x0f, 0x05, 0xeb, 0xf5, 0x48, 0xbc, 0,    0,    0,    0,    0,    0,    0,
	0,    0xb8, 0x0f, 0x00, 0x00, 0x00, 0x0f, 0x05, 0xcc, 0xcc, 0xcc, 0xcc, 0xcc,
	0xcc, 's',  'e',  'e',  'p',  '-',  'c',  'o',  'p',  'y',
};
static_assert(FRAME_OFFSET + SIGFRAME_MAX <= MAPPED_BYTES, "there is room");

static struct error *refused(const char *what, int64_t result)
{
	return error_create(ERROR_REFUSED, "%s failed in the process: %s", what,
			    strerror((int)-result));
}

static bool is_failure(int64_t result)
{
	return result < 0 && result >= -4095;
}

/* The address of a syscall instruction in the kernel's own page of code, 0 if none. */
static uint64_t find_syscall(pid_t pid, const char *maps)
{
	const char *line = strstr(maps, "[vdso]");
	while (line && line > maps && line[-1] != '\n')
		line--;
	uint64_t start = 0, end = 0;
	if (!line || sscanf(line, "%" SCNx64 "-%" SCNx64, &start, &end) != 2 ||
	    end <= start || end - start > VDSO_MAX)
		return 0;
	unsigned char code[VDSO_MAX];
	struct iovec local = { .iov_base = code, .iov_len = end - start };
	struct iovec remote = { .iov_base = (void *)(uintptr_t)start,
				.iov_len = end - start };
	ssize_t got = process_vm_readv(pid, &local, 1, &remote, 1, 0);
	for (ssize_t i = 0; i + 1 < got; i++)
		if (code[i] == 0x0f && code[i + 1] == 0x05)
			return start + (uint64_t)i;
	return 0;
}

/* What a filter of the thread's system calls needs: the right to suspend it. */
static unsigned options_for(pid_t pid, pid_t tid)
{
	struct process_status status = { 0 };
	struct error *error = process_status(pid, tid, &status);
	error_destroy(error);
	return !error && status.seccomp ? PTRACE_O_SUSPEND_SECCOMP : 0;
}

/* A thread on which no signal is on its way, and that a detour does not harm. */
static pid_t pick_thread(const struct freezer *freezer)
{
	for (size_t i = 0; i < freezer->threads.nr; i++) {
		const struct held_thread *thread = &freezer->threads.items[i];
		if (thread->stopped && !thread->deliver &&
		    inject_is_possible(thread->tid))
			return thread->tid;
	}
	return 0;
}

static struct error *begin(const struct freezer *freezer, const char *maps,
			   struct injection *injection)
{
	pid_t tid = pick_thread(freezer);
	if (!tid)
		return error_create(ERROR_REFUSED,
				    "each of its threads is at a place where it cannot "
				    "make a call for seep");
	uint64_t place = find_syscall(freezer->pid, maps);
	if (!place)
		return error_create(ERROR_REFUSED,
				    "no system call instruction was found in its vdso");
	return inject_begin(injection, freezer->pid, tid, place,
			    options_for(freezer->pid, tid));
}

/* It is read-only to the process itself; its tracer may write. */
static struct error *write_page(const struct injection *injection, uint64_t page)
{
	CLEANUP_FREE unsigned char *bytes = calloc(1, MAPPED_BYTES);
	if (!bytes)
		return error_no_memory();
	uint64_t frame = page + FRAME_OFFSET;
	memcpy(bytes, page_code, sizeof(page_code));
	memcpy(bytes + WAY_BACK_OPERAND, &frame, sizeof(frame));
	struct error *error = sigframe_make(injection->tid, &injection->parked,
					    injection->mask, frame, bytes + FRAME_OFFSET);
	if (error)
		return error;
	char path[64];
	snprintf(path, sizeof(path), "/proc/%d/mem", (int)injection->pid);
	CLEANUP_CLOSE int fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || pwrite(fd, bytes, MAPPED_BYTES, (off_t)page) != MAPPED_BYTES)
		return error_create(ERROR_REFUSED, "its new page cannot be written: %s",
				    strerror(errno));
	return NULL;
}

static struct error *map_page(struct injection *injection, uint64_t *page)
{
	int64_t result = 0;
	const struct inject_arguments arguments = {
		{ 0, MAPPED_BYTES, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS,
		  (uint64_t)-1, 0 },
	};
	struct error *error = inject_call(injection, SYS_mmap, arguments, &result);
	if (error || is_failure(result))
		return error ? error : refused("mmap()", result);
	*page = (uint64_t)result;
	error = write_page(injection, *page);
	if (!error)
		injection->parked.rip = *page + WAY_BACK_PLACE;
	return error;
}

static struct error *unmap_page(struct injection *injection, uint64_t page)
{
	if (!page)
		return NULL;
	int64_t result = 0;
	const struct inject_arguments arguments = { { page, MAPPED_BYTES } };
	inject_park(injection);
	return inject_call(injection, SYS_munmap, arguments, &result);
}

/* The new process is ours from birth, and stopped before its first instruction. */
static struct error *adopt(struct copy *copy, pid_t pid)
{
	int status = 0;
	copy->pid = pid;
	if (waitpid(pid, &status, __WALL) != pid || !WIFSTOPPED(status)) {
		copy->pid = 0;
		return error_create(ERROR_REFUSED, "the copy ended at once");
	}
	if (ptrace(PTRACE_SETOPTIONS, pid, 0, PTRACE_O_EXITKILL) != 0)
		return error_create(ERROR_REFUSED, "the copy cannot be held: %s",
				    strerror(errno));
	copy->pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	return copy->pidfd >= 0
		       ? NULL
		       : error_create(ERROR_REFUSED, "the copy cannot be held: %s",
				      strerror(errno));
}

static struct error *clone_process(struct injection *injection, struct copy *copy)
{
	int64_t result = 0;
	uint64_t place = injection->place;
	injection->place = copy->page;
	const struct inject_arguments arguments = { { CLONE_FILES } };
	struct error *error = inject_call(injection, SYS_clone, arguments, &result);
	injection->place = place;
	if (error)
		return error;
	if (result <= 0 || injection->child <= 0)
		return is_failure(result)
			       ? refused("clone()", result)
			       : error_create(ERROR_REFUSED, "clone() made no process");
	copy->pid_inside = (pid_t)result;
	return adopt(copy, injection->child);
}

/* Calls that the copy makes; it is left in the middle of nothing: it never runs on. */
static struct error *copy_call(const struct copy *copy, uint64_t number,
			       struct inject_arguments arguments, int64_t *result)
{
	struct injection injection;
	unsigned options = PTRACE_O_EXITKILL | options_for(copy->pid, copy->pid);
	struct error *error = inject_begin(&injection, copy->pid, copy->pid,
					   copy->page + COPY_PLACE, options);
	return error ? error : inject_call(&injection, number, arguments, result);
}

/* Out of the table of descriptors that it shares with the original. */
static struct error *leave_files(const struct copy *copy)
{
	int64_t result = 0;
	const struct inject_arguments all = { { 0, UINT32_MAX, CLOSE_RANGE_UNSHARE } };
	struct error *error = copy_call(copy, SYS_close_range, all, &result);
	return !error && is_failure(result) ? refused("close_range()", result) : error;
}

/* Has the original take the exit status of the copy, which is dead and no longer ours. */
static struct error *take_status(struct injection *injection, pid_t inside)
{
	int64_t result = 0;
	const struct inject_arguments arguments = { { (uint64_t)inside, 0, __WALL, 0 } };
	struct error *error = inject_call(injection, SYS_wait4, arguments, &result);
	return !error && result != inside ? refused("wait4()", result) : error;
}

/* The first error counts; there is no more to say about the others. */
static struct error *first_of(struct error *first, struct error *second)
{
	if (!first)
		return second;
	error_destroy(second);
	return first;
}

/* A copy that came out wrong goes before the original runs on. */
static struct error *undo(struct injection *injection, struct copy *copy,
			  struct error *error)
{
	pid_t inside = copy->pid_inside;
	if (copy->pid <= 0)
		return error;
	copy_kill(copy);
	copy_abandon(copy);
	return first_of(error, take_status(injection, inside));
}

struct error *copy_make(struct freezer *freezer, const char *maps, struct copy *copy)
{
	*copy = (struct copy){ .pidfd = -1 };
	struct injection injection;
	struct error *error = begin(freezer, maps, &injection);
	if (error)
		return error;
	uint64_t page = 0;
	error = map_page(&injection, &page);
	copy->page = page;
	if (!error)
		error = clone_process(&injection, copy);
	if (!error)
		error = leave_files(copy);
	if (error)
		error = undo(&injection, copy, error);
	error = first_of(error, unmap_page(&injection, page));
	return first_of(error, inject_end(&injection));
}

static void write_file(const char *path, const char *text)
{
	CLEANUP_CLOSE int fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd >= 0 && write(fd, text, strlen(text)) < 0)
		return; /* a nicety that this machine does not allow */
}

void copy_settle(const struct copy *copy)
{
	char path[64];
	snprintf(path, sizeof(path), "/proc/%d/oom_score_adj", (int)copy->pid);
	write_file(path, "1000");
	const struct {
		uint64_t number;
		struct inject_arguments arguments;
	} calls[] = {
		{ SYS_setsid, { { 0 } } },
		{ SYS_prctl, { { PR_SET_NAME, copy->page + NAME_OFFSET } } },
	};
	for (size_t i = 0; i < ARRAY_SIZE(calls); i++) {
		int64_t result = 0;
		error_destroy(
			copy_call(copy, calls[i].number, calls[i].arguments, &result));
	}
}

void copy_kill(struct copy *copy)
{
	if (copy->pid <= 0)
		return;
	if (copy->pidfd >= 0)
		syscall(SYS_pidfd_send_signal, copy->pidfd, SIGKILL, NULL, 0);
	else
		ptrace(PTRACE_KILL, copy->pid, 0, 0); /* only ever of our own tracee */
	siginfo_t info;
	while (waitid(P_PID, (id_t)copy->pid, &info, WEXITED | WNOWAIT | __WALL) < 0 &&
	       errno == EINTR)
		;
}

void copy_abandon(struct copy *copy)
{
	if (copy->pid > 0)
		waitpid(copy->pid, NULL, __WALL);
	if (copy->pidfd >= 0)
		close(copy->pidfd);
	*copy = (struct copy){ .pidfd = -1 };
}

struct error *copy_reap(struct freezer *freezer, const char *maps, struct copy *copy)
{
	pid_t inside = copy->pid_inside;
	struct injection injection;
	struct error *error = begin(freezer, maps, &injection);
	if (error)
		return error;
	copy_abandon(copy);
	error = take_status(&injection, inside);
	return first_of(error, inject_end(&injection));
}
