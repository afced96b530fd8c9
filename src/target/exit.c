/*
 * exit: a program that we start and catch at its end, while its memory still stands.
 *
 * The program is seized before it runs, with PTRACE_O_TRACEEXIT: the kernel then stops each
 * thread at the start of its exit, before anything is torn down, with its registers
 * readable. That holds for return from main, exit, _exit, a thread's exit_group and for
 * signals alike, and costs a running program nothing per system call. The end of one thread
 * alone is told from that of the process by the call that led there.
 *
 * The program is not killed when seep dies: the kernel then lets it go.
 *
 * Whoever calls us may have other children. Their ends are theirs to hear of: nothing is
 * waited for but the threads that we trace.
 */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "target/held.h"
#include "target/live_priv.h"
#include "target/process.h"
#include "target/registers.h"

/* How often our threads are asked for when another child of the caller's has ended and
   nobody waits for it: the kernel then tells of that one again and again. */
#define POLL_NS 1000000u
/* How often a command that is about to run is asked whether a signal stopped it. */
#define START_POLL_MS 1
/* When one thread ends the process, the others follow as soon as they get to run. Those that
   do not are asked so often whether they are on their way. */
#define OTHERS_WAIT_NS 500000000u

struct traced {
	pid_t tid;
	bool at_exit; /* stopped there */
	bool ended; /* let go from there; the main thread is reported only with the last */
};
DEFINE_VEC(traced_vec, struct traced);

struct exiting {
	struct live live;
	struct traced_vec threads;
	bool ended; /* the process is gone; status is set */
	int status;
	int *result; /* where the caller wants it */
	uint64_t caught_at_ns;
};

static struct traced *find(struct exiting *exiting, pid_t tid)
{
	for (size_t i = 0; i < exiting->threads.nr; i++)
		if (exiting->threads.items[i].tid == tid)
			return &exiting->threads.items[i];
	return NULL;
}

static void drop(struct exiting *exiting, pid_t tid)
{
	struct traced *thread = find(exiting, tid);
	if (thread)
		*thread = exiting->threads.items[--exiting->threads.nr];
}

static void let_run(pid_t tid, int signal)
{
	ptrace(PTRACE_CONT, tid, 0, (void *)(intptr_t)signal);
}

/* --- starting -------------------------------------------------------------------------- */

/* An unprivileged tracer would take a setuid program's rights away; that changes it. */
static bool gains_rights(const char *path)
{
	struct stat status;
	return getuid() != 0 && stat(path, &status) == 0 &&
	       (status.st_mode & (S_ISUID | S_ISGID)) != 0;
}

static bool command_gains_rights(const char *command)
{
	if (strchr(command, '/'))
		return gains_rights(command);
	const char *path = getenv("PATH");
	while (path && *path) {
		size_t length = strcspn(path, ":");
		char file[PATH_MAX];
		snprintf(file, sizeof(file), "%.*s/%s", (int)length, path, command);
		if (access(file, X_OK) == 0)
			return gains_rights(file);
		path += length + (path[length] == ':');
	}
	return false;
}

/* The child: waits until it is seized, then runs the command; tells why it could not. */
static void run_command(char *const *command, int go, int complaint)
{
	char byte;
	if (read(go, &byte, 1) != 1)
		_exit(127);
	execvp(command[0], command);
	int cause = errno;
	ssize_t ignored = write(complaint, &cause, sizeof(cause));
	(void)ignored;
	_exit(127);
}

static struct error *cannot_start(const char *command, int cause)
{
	return error_remedy(error_create(ERROR_USAGE, "cannot start %s: %s", command,
					 strerror(cause)),
			    "check the command's name and its rights");
}

static struct error *seize(pid_t pid)
{
	const long options = PTRACE_O_TRACEEXIT | PTRACE_O_TRACECLONE |
			     PTRACE_O_TRACEEXEC;
	if (ptrace(PTRACE_SEIZE, pid, 0, (void *)options) == 0)
		return NULL;
	return error_remedy(error_create(ERROR_REFUSED,
					 "cannot trace a program that seep started: %s",
					 strerror(errno)),
			    "see what this machine allows with: seep doctor");
}

static struct error *start(char *const *command, pid_t *pid, int *complaint)
{
	int go[2] = { -1, -1 }, tell[2] = { -1, -1 };
	if (pipe2(go, O_CLOEXEC) != 0 || pipe2(tell, O_CLOEXEC) != 0 ||
	    (*pid = fork()) < 0) {
		struct error *error = cannot_start(command[0], errno);
		for (int i = 0; i < 2; i++) {
			close(go[i]);
			close(tell[i]);
		}
		return error;
	}
	if (*pid == 0)
		run_command(command, go[0], tell[1]);
	close(go[0]);
	close(tell[1]);
	struct error *error = seize(*pid);
	ssize_t written = error ? 0 : write(go[1], "g", 1);
	close(go[1]);
	if (written == 1) {
		*complaint = tell[0];
		return NULL;
	}
	close(tell[0]);
	waitpid(*pid, NULL, 0);
	return error ? error : cannot_start(command[0], errno);
}

/* --- waiting for the end --------------------------------------------------------------- */

static uint64_t system_call_of(pid_t tid)
{
	struct user_regs_struct regs;
	struct iovec iov = { .iov_base = &regs, .iov_len = sizeof(regs) };
	if (ptrace(PTRACE_GETREGSET, tid, NT_PRSTATUS, &iov) != 0)
		return UINT64_MAX;
	return regs.orig_rax;
}

static size_t nr_alive(const struct exiting *exiting)
{
	size_t nr = 0;
	for (size_t i = 0; i < exiting->threads.nr; i++)
		nr += !exiting->threads.items[i].ended;
	return nr;
}

/* A thread that ends alone does so by exit(); whatever else stops one at its exit ends the
   others too: its exit_group(), another's, or a signal. Or another thread's execve(). */
static bool ends_process(struct exiting *exiting, pid_t tid)
{
	return nr_alive(exiting) == 1 || system_call_of(tid) != SYS_exit;
}

/* A clone that is not a thread of the program is none of our business. */
static bool is_ours(const struct exiting *exiting, pid_t tid)
{
	struct process_status status;
	struct error *error = process_status(tid, 0, &status);
	error_destroy(error);
	return !error && status.group == exiting->live.base.pid;
}

/* A new thread's own first stop, which may come before or after its maker's event. */
static void meet(struct exiting *exiting, pid_t tid)
{
	struct traced thread = { .tid = tid };
	if (!is_ours(exiting, tid) || !traced_vec_push(&exiting->threads, thread))
		ptrace(PTRACE_DETACH, tid, 0, 0);
	else
		let_run(tid, 0);
}

/* The maker's event: from here on the new thread counts, whatever comes first. */
static void expect_clone(struct exiting *exiting, pid_t maker)
{
	unsigned long tid = 0;
	struct traced thread = { 0 };
	if (ptrace(PTRACE_GETEVENTMSG, maker, 0, &tid) != 0)
		return;
	thread.tid = (pid_t)tid;
	if (!find(exiting, thread.tid) && is_ours(exiting, thread.tid) &&
	    !traced_vec_push(&exiting->threads, thread))
		ptrace(PTRACE_DETACH, thread.tid, 0, 0);
}

/* A thread executed another program: it goes on as the main thread, which has exited, and is not
   heard of by its own number any more (ptrace(2), "execve(2) under ptrace"). */
static void become_main(struct exiting *exiting, pid_t main_tid)
{
	unsigned long before = 0;
	struct traced *thread = find(exiting, main_tid);
	if (thread)
		*thread = (struct traced){ .tid = main_tid };
	if (ptrace(PTRACE_GETEVENTMSG, main_tid, 0, &before) == 0 &&
	    (pid_t)before != main_tid)
		drop(exiting, (pid_t)before);
}

/* Handles one wait status; true when `tid` has stopped at its exit. */
static bool handle(struct exiting *exiting, pid_t tid, int status)
{
	if (!WIFSTOPPED(status)) {
		drop(exiting, tid);
		if (tid == exiting->live.base.pid) {
			exiting->ended = true;
			exiting->status = status;
		}
		return false;
	}
	int event = status >> 16, signal = WSTOPSIG(status);
	if (event == PTRACE_EVENT_CLONE)
		expect_clone(exiting, tid);
	if (event == PTRACE_EVENT_EXEC)
		become_main(exiting, tid);
	struct traced *thread = find(exiting, tid);
	if (!thread)
		meet(exiting, tid);
	else if (event == PTRACE_EVENT_EXIT)
		thread->at_exit = true;
	else if (event == PTRACE_EVENT_STOP && signal != SIGTRAP)
		ptrace(PTRACE_LISTEN, tid, 0, 0);
	else
		let_run(tid, event ? 0 : signal);
	return thread && event == PTRACE_EVENT_EXIT;
}

/* One of our threads, or a new one whose maker has not told of it yet. */
static bool is_traced(struct exiting *exiting, pid_t tid)
{
	struct process_status status;
	if (find(exiting, tid))
		return true;
	struct error *error = process_status(tid, 0, &status);
	error_destroy(error);
	return !error && status.tracer == gettid();
}

/* As waitpid() with WNOHANG, for each of our threads. */
static pid_t poll_threads(const struct exiting *exiting, int *status)
{
	for (size_t i = 0; i < exiting->threads.nr; i++) {
		pid_t tid = waitpid(exiting->threads.items[i].tid, status,
				    __WALL | __WNOTHREAD | WNOHANG);
		if (tid > 0)
			return tid;
	}
	return 0;
}

/* As waitpid() for all of our threads and no other child; `options`: WNOHANG or 0. */
static pid_t wait_for_threads(struct exiting *exiting, int *status, int options)
{
	const int any = WEXITED | WSTOPPED | WNOWAIT | __WALL | __WNOTHREAD;
	for (;;) {
		siginfo_t first = { 0 };
		if (waitid(P_ALL, 0, &first, any | options) != 0)
			return -1;
		if (first.si_pid && is_traced(exiting, first.si_pid))
			return waitpid(first.si_pid, status, __WALL | __WNOTHREAD);
		pid_t tid = first.si_pid ? poll_threads(exiting, status) : 0;
		if (tid || options & WNOHANG)
			return tid;
		nanosleep(&(struct timespec){ .tv_nsec = POLL_NS }, NULL);
	}
}

static bool all_at_exit(const struct exiting *exiting)
{
	for (size_t i = 0; i < exiting->threads.nr; i++)
		if (!exiting->threads.items[i].at_exit &&
		    !exiting->threads.items[i].ended)
			return false;
	return true;
}

/* Whether some thread waits in execve() for the others to end. */
static bool is_replaced(const struct exiting *exiting)
{
	for (size_t i = 0; i < exiting->threads.nr; i++) {
		const struct traced *thread = &exiting->threads.items[i];
		if (thread->at_exit || thread->ended)
			continue;
		char name[64];
		struct str call = { 0 };
		snprintf(name, sizeof(name), "task/%d/syscall", (int)thread->tid);
		error_destroy(process_file(exiting->live.base.pid, name, &call));
		long number = strtol(str_text(&call), NULL, 10);
		str_deinit(&call);
		if (number == SYS_execve || number == SYS_execveat)
			return true;
	}
	return false;
}

/* Whether some thread is still on its way to its exit: the end of a process kills each of its
   threads, and on a loaded machine it takes long until all have run that far. */
static bool others_follow(const struct exiting *exiting)
{
	for (size_t i = 0; i < exiting->threads.nr; i++) {
		const struct traced *thread = &exiting->threads.items[i];
		struct process_status status = { 0 };
		if (thread->at_exit || thread->ended)
			continue;
		error_destroy(
			process_status(exiting->live.base.pid, thread->tid, &status));
		if (status.pending >> (SIGKILL - 1) & 1)
			return true;
	}
	return false;
}

/* Waits for the other threads to stop at their exits too. They do not when one thread
   replaces the program, which ends the others in the same way. */
static bool gather_others(struct exiting *exiting)
{
	uint64_t deadline_ns = freezer_now_ns() + OTHERS_WAIT_NS;
	while (!all_at_exit(exiting) && !exiting->ended) {
		int status = 0;
		pid_t tid = wait_for_threads(exiting, &status, WNOHANG);
		if (tid > 0) {
			if (handle(exiting, tid, status))
				deadline_ns = freezer_now_ns() + OTHERS_WAIT_NS;
			continue;
		}
		if (tid < 0 || is_replaced(exiting))
			return false;
		if (freezer_now_ns() > deadline_ns) {
			if (!others_follow(exiting))
				return false;
			deadline_ns = freezer_now_ns() + OTHERS_WAIT_NS;
		}
		nanosleep(&(struct timespec){ .tv_nsec = 50000 }, NULL);
	}
	return !exiting->ended;
}

static void release_at_exit(struct exiting *exiting)
{
	for (size_t i = 0; i < exiting->threads.nr; i++) {
		if (!exiting->threads.items[i].at_exit)
			continue;
		exiting->threads.items[i].at_exit = false;
		exiting->threads.items[i].ended = true;
		let_run(exiting->threads.items[i].tid, 0);
	}
}

/* Until the command's program runs or cannot be executed. A signal that comes meanwhile stops it
   first; its end is left for others to see. */
static void await_start(void *context, int fd)
{
	struct exiting *exiting = context;
	const pid_t pid = exiting->live.base.pid;
	struct pollfd told = { .fd = fd, .events = POLLIN };
	while (poll(&told, 1, START_POLL_MS) <= 0) {
		siginfo_t first = { 0 };
		const int any = WEXITED | WSTOPPED | WNOWAIT | WNOHANG | __WALL;
		if (waitid(P_PID, (id_t)pid, &first, any) != 0)
			return;
		if (!first.si_pid)
			continue;
		bool is_stop = first.si_code == CLD_TRAPPED ||
			       first.si_code == CLD_STOPPED;
		int status = 0;
		if (!is_stop || first.si_status >> 8 == PTRACE_EVENT_EXIT ||
		    waitpid(pid, &status, __WALL | WNOHANG) != pid)
			return;
		handle(exiting, pid, status);
	}
}

static struct error *wait_for_exit(struct exiting *exiting)
{
	for (;;) {
		int status = 0;
		pid_t tid = wait_for_threads(exiting, &status, 0);
		if (tid < 0 && errno == EINTR)
			continue;
		if (tid < 0 || exiting->ended)
			return error_create(
				ERROR_REFUSED,
				"the program ended before it could be looked at");
		if (!handle(exiting, tid, status)) {
			if (exiting->ended)
				return error_create(
					ERROR_REFUSED,
					"the program ended before it could be looked at");
			continue;
		}
		if (ends_process(exiting, tid) && gather_others(exiting))
			return NULL;
		release_at_exit(exiting);
	}
}

/* --- the target ------------------------------------------------------------------------ */

static struct error *exit_freeze(struct target *target)
{
	struct exiting *exiting = (struct exiting *)target;
	struct error *error = live_load(&exiting->live);
	for (size_t i = 0; !error && i < exiting->threads.nr; i++) {
		if (!exiting->threads.items[i].at_exit)
			continue;
		struct thread thread = { 0 };
		error = registers_read(exiting->threads.items[i].tid, &thread);
		if (!error && !thread_vec_push(&target->threads, thread)) {
			free(thread.words);
			error = error_no_memory();
		}
	}
	if (!error)
		error = held_collect(exiting->live.via, &target->held,
				     &target->held_incomplete);
	return error;
}

/* The program stays where it is until the target is destroyed: it has nothing left to do,
   and its memory may still be asked for. */
static uint64_t exit_thaw(struct target *target)
{
	struct exiting *exiting = (struct exiting *)target;
	return freezer_now_ns() - exiting->caught_at_ns;
}

static void exit_destroy(struct target *target)
{
	struct exiting *exiting = (struct exiting *)target;
	for (size_t i = 0; i < exiting->threads.nr; i++)
		ptrace(PTRACE_DETACH, exiting->threads.items[i].tid, 0, 0);
	/* A thread that was not stopped just now is let go when it is. */
	while (target->pid && !exiting->ended) {
		int status = 0;
		pid_t tid = wait_for_threads(exiting, &status, 0);
		if (tid > 0 && WIFSTOPPED(status)) {
			int signal = status >> 16 ? 0 : WSTOPSIG(status);
			ptrace(PTRACE_DETACH, tid, 0, (void *)(intptr_t)signal);
		} else if (tid == target->pid) {
			exiting->status = status;
			exiting->ended = true;
		} else if (tid < 0 && errno != EINTR) {
			exiting->ended = true;
		}
	}
	if (exiting->result && target->pid)
		*exiting->result = exiting->status;
	traced_vec_deinit(&exiting->threads);
	live_deinit(&exiting->live);
	free(exiting);
}

static const struct target_ops exit_ops = {
	.name = "exit",
	.unread = "swapped out",
	.freeze = exit_freeze,
	.thaw = exit_thaw,
	.read = live_read,
	.extents = live_extents,
	.open_module = live_open_module,
	.destroy = exit_destroy,
};

/* What the child wrote when it could not run the command; 0: it could. */
static int complaint_of(struct exiting *exiting, int fd)
{
	int cause = 0;
	fcntl(fd, F_SETFL, O_NONBLOCK);
	await_start(exiting, fd);
	ssize_t got = read(fd, &cause, sizeof(cause));
	close(fd);
	return got == sizeof(cause) ? cause : 0;
}

/* Which program it is shows only now: at the start it was still a copy of us. */
static struct error *begin(struct exiting *exiting, pid_t pid, uint64_t max_pause_ns)
{
	pid_t via = pid;
	for (size_t i = 0; i < exiting->threads.nr; i++)
		if (exiting->threads.items[i].at_exit)
			via = exiting->threads.items[i].tid;
	struct error *error =
		live_init(&exiting->live, &exit_ops, pid, via, max_pause_ns);
	exiting->caught_at_ns = freezer_now_ns();
	return error ? error : live_load(&exiting->live);
}

/* Starts the command, traced; a child that waits already is seized and let run. */
static struct error *set_off(struct exiting *exiting, char *const *command,
			     const struct target_exit_options *options)
{
	struct traced first = { .tid = options->child };
	int complaint = -1;
	struct error *error = options->child ? seize(options->child)
					     : start(command, &first.tid, &complaint);
	if (error)
		return error;
	exiting->live.base.pid = first.tid;
	if (!traced_vec_push(&exiting->threads, first))
		error = error_no_memory();
	const struct await await = { await_start, exiting };
	if (options->child)
		return error ? error : options->go(options->context, &await);
	int cause = complaint_of(exiting, complaint);
	return error || !cause ? error : cannot_start(command[0], cause);
}

struct error *target_exit_start(char *const *command,
				const struct target_exit_options *options,
				struct target **target)
{
	if (options->status)
		*options->status = -1;
	if (command_gains_rights(command[0]))
		return error_remedy(
			error_create(ERROR_REFUSED,
				     "%s is a setuid program; tracing it would take "
				     "its rights away",
				     command[0]),
			"run seep as root");
	struct exiting *exiting = calloc(1, sizeof(*exiting));
	if (!exiting)
		return error_no_memory();
	exiting->live.base.ops = &exit_ops;
	exiting->live.pagemap_fd = -1;
	exiting->result = options->status;
	struct error *error = set_off(exiting, command, options);
	if (!error)
		error = wait_for_exit(exiting);
	if (!error)
		error = begin(exiting, exiting->live.base.pid, options->max_pause_ns);
	if (error) {
		exit_destroy(&exiting->live.base);
		return error;
	}
	*target = &exiting->live.base;
	return NULL;
}
