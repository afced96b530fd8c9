/* freezer: see freezer.h. */
#include "target/freezer.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "target/process.h"
#include "target/registers.h"

uint64_t freezer_now_ns(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static struct held_thread *find_thread(struct freezer *freezer, pid_t tid)
{
	for (size_t i = freezer->threads.nr; i-- > 0;)
		if (freezer->threads.items[i].tid == tid)
			return &freezer->threads.items[i];
	return NULL;
}

static struct error *cannot_seize(const struct freezer *freezer, pid_t tid,
				  const struct process_status *status)
{
	return error_remedy(
		error_create(ERROR_REFUSED, "%s (%d): thread %d cannot be stopped%s",
			     status->comm, (int)freezer->pid, (int)tid,
			     status->tracer ? ": another tracer has it" : ""),
		"see what stands in the way with: seep doctor %d", (int)freezer->pid);
}

/* A thread may end between being listed and being seized; that is no failure. And one that
   an earlier stop gave up on, and could not let go of, is still ours: its stop is to come. */
static struct error *seize(struct freezer *freezer, pid_t tid)
{
	bool seized = ptrace(PTRACE_SEIZE, tid, 0, 0) == 0;
	if (!seized) {
		struct process_status status = { 0 };
		struct error *error = process_status(freezer->pid, tid, &status);
		error_destroy(error);
		if (error || status.state == 'Z' || status.state == 'X')
			return NULL;
		if (status.tracer != gettid())
			return cannot_seize(freezer, tid, &status);
	}
	struct held_thread thread = { .tid = tid };
	if (!held_thread_vec_push(&freezer->threads, thread)) {
		ptrace(PTRACE_DETACH, tid, 0, 0);
		return error_no_memory();
	}
	if (seized)
		ptrace(PTRACE_INTERRUPT, tid, 0, 0);
	return NULL;
}

/* Seizes the threads that are not held yet; *nr_new says how many there were. */
static struct error *seize_new_threads(struct freezer *freezer, size_t *nr_new)
{
	char path[64];
	snprintf(path, sizeof(path), "/proc/%d/task", (int)freezer->pid);
	CLEANUP_CLOSEDIR DIR *dir = opendir(path);
	if (!dir)
		return error_create(ERROR_REFUSED,
				    "process %d ended while it was being stopped",
				    (int)freezer->pid);
	size_t before = freezer->threads.nr;
	struct dirent *entry;
	while ((entry = readdir(dir))) {
		pid_t tid = atoi(entry->d_name);
		/* Known ones are the first `before`, in the order of the folder. */
		if (tid <= 0 || find_thread(freezer, tid))
			continue;
		struct error *error = seize(freezer, tid);
		if (error)
			return error;
	}
	*nr_new = freezer->threads.nr - before;
	return NULL;
}

static void forget_thread(struct freezer *freezer, struct held_thread *thread)
{
	*thread = freezer->threads.items[--freezer->threads.nr];
}

/* Takes in what one wait status says. A signal that was just being delivered is kept and
   given back on release. */
static void note_status(struct freezer *freezer, struct held_thread *thread, int status)
{
	if (!WIFSTOPPED(status)) {
		forget_thread(freezer, thread);
		return;
	}
	thread->stopped = true;
	bool event = (status >> 16) != 0;
	thread->deliver = event ? 0 : WSTOPSIG(status);
	if (event && WSTOPSIG(status) == SIGTRAP)
		registers_put_call_back(freezer->pid, thread->tid);
}

/* True when every thread has stopped; polls each that has not. */
static bool collect_stops(struct freezer *freezer)
{
	bool all = true;
	for (size_t i = 0; i < freezer->threads.nr;) {
		struct held_thread *thread = &freezer->threads.items[i];
		int status = 0;
		pid_t got = thread->stopped
				    ? 0
				    : waitpid(thread->tid, &status, __WALL | WNOHANG);
		size_t before = freezer->threads.nr;
		if (got == thread->tid)
			note_status(freezer, thread, status);
		else if (got < 0)
			forget_thread(freezer, thread);
		if (freezer->threads.nr < before)
			continue;
		all = all && thread->stopped;
		i++;
	}
	return all;
}

/* What a thread waits for that keeps it from stopping. */
static struct error *never_stopped(const struct freezer *freezer)
{
	pid_t tid = freezer->pid;
	for (size_t i = 0; i < freezer->threads.nr; i++)
		if (!freezer->threads.items[i].stopped)
			tid = freezer->threads.items[i].tid;
	char name[64];
	snprintf(name, sizeof(name), "task/%d/wchan", (int)tid);
	struct str wait = { 0 };
	struct error *error = process_file(freezer->pid, name, &wait);
	error_destroy(error);
	struct process_status status = { 0 };
	error = process_status(freezer->pid, tid, &status);
	error_destroy(error);
	/* Where wait_for_vfork_done() is inlined: kernel_clone() sleeps for nothing else. */
	bool vfork = strstr(str_text(&wait), "vfork") ||
		     strcmp(str_text(&wait), "kernel_clone") == 0;
	bool known = wait.length > 1;
	struct error *budget = error_create(
		ERROR_BUDGET, "%s (%d): thread %d did not stop in time: %s%s%s",
		status.comm, (int)freezer->pid, (int)tid,
		vfork ? "it waits in vfork() for its child to run a program or end"
		      : "it is in an uninterruptible wait",
		known && !vfork ? " in the kernel's " : "",
		known && !vfork ? str_text(&wait) : "");
	str_deinit(&wait);
	return error_remedy(budget,
			    "try again later, or allow a longer pause with --max-pause");
}

struct error *freezer_stop(struct freezer *freezer, pid_t pid, uint64_t deadline_ns)
{
	*freezer = (struct freezer){ .pid = pid };
	struct error *error = NULL;
	for (;;) {
		/* Threads that start while others are being stopped need another round. */
		size_t nr_new = 0;
		error = seize_new_threads(freezer, &nr_new);
		if (error)
			break;
		if (nr_new == 0 && collect_stops(freezer))
			break;
		while (!collect_stops(freezer)) {
			if (freezer_now_ns() > deadline_ns) {
				error = never_stopped(freezer);
				goto out;
			}
			nanosleep(&(struct timespec){ .tv_nsec = 20000 }, NULL);
		}
	}
	if (!error && freezer->threads.nr == 0)
		error = error_create(ERROR_REFUSED,
				     "process %d ended while it was being stopped",
				     (int)pid);
out:
	if (error)
		freezer_release(freezer);
	return error;
}

/* A thread that did not stop yet must stop before it can be detached; when that takes
   long (D state), the kernel detaches it at our end. */
static void await_stop(struct freezer *freezer, struct held_thread *thread)
{
	for (int i = 0; i < 100 && !thread->stopped; i++) {
		int status = 0;
		pid_t got = waitpid(thread->tid, &status, __WALL | WNOHANG);
		if (got < 0 || (got == thread->tid && !WIFSTOPPED(status)))
			return;
		if (got == thread->tid) {
			thread->stopped = true;
			thread->deliver = (status >> 16) ? 0 : WSTOPSIG(status);
			if ((status >> 16) && WSTOPSIG(status) == SIGTRAP)
				registers_put_call_back(freezer->pid, thread->tid);
			return;
		}
		nanosleep(&(struct timespec){ .tv_nsec = 20000 }, NULL);
	}
}

void freezer_release(struct freezer *freezer)
{
	for (size_t i = 0; i < freezer->threads.nr; i++) {
		struct held_thread *thread = &freezer->threads.items[i];
		await_stop(freezer, thread);
		ptrace(PTRACE_DETACH, thread->tid, 0, (void *)(intptr_t)thread->deliver);
	}
	held_thread_vec_deinit(&freezer->threads);
}

struct error *freezer_threads(const struct freezer *freezer, struct thread_vec *threads)
{
	for (size_t i = 0; i < freezer->threads.nr; i++) {
		struct thread thread = { 0 };
		struct error *error =
			registers_read(freezer->threads.items[i].tid, &thread);
		if (error)
			return error;
		if (!thread_vec_push(threads, thread)) {
			thread_deinit(&thread);
			return error_no_memory();
		}
	}
	return NULL;
}
