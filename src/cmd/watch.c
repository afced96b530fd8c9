/* watch: see watch.h. A descriptor of the process tells its end, whoever gets its pid next. */
#include "cmd/watch.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/vec.h"
#include "cmd/output.h"

#define NS_PER_MS ((uint64_t)1000000)
#define NS_PER_S  ((uint64_t)1000000000)

static const int ending_signals[] = { SIGINT, SIGTERM };

static void note_signal(int signal)
{
	(void)signal;
}

/* Both signals wait from now on; *before lets them through. */
static void hold_signals(sigset_t *before)
{
	sigset_t held;
	struct sigaction action = { .sa_handler = note_signal };
	sigemptyset(&held);
	for (size_t i = 0; i < ARRAY_SIZE(ending_signals); i++) {
		sigaddset(&held, ending_signals[i]);
		sigaction(ending_signals[i], &action, NULL);
	}
	sigprocmask(SIG_BLOCK, &held, before);
	for (size_t i = 0; i < ARRAY_SIZE(ending_signals); i++)
		sigdelset(before, ending_signals[i]);
}

static uint64_t now_ns(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
}

/* Waits; true if something ended the watch. */
static bool wait_until(uint64_t when_ns, int process, const sigset_t *mask,
		       enum watch_end *end)
{
	for (;;) {
		uint64_t now = now_ns(), left = when_ns > now ? when_ns - now : 0;
		struct timespec timeout = { .tv_sec = (time_t)(left / NS_PER_S),
					    .tv_nsec = (long)(left % NS_PER_S) };
		struct pollfd poll = { .fd = process, .events = POLLIN };
		int nr = ppoll(&poll, 1, &timeout, mask);
		*end = nr > 0 ? WATCH_ENDED : WATCH_INTERRUPTED;
		if (nr > 0 || (nr < 0 && errno == EINTR))
			return true;
		if (nr == 0)
			return false;
	}
}

static bool has_ended(int process)
{
	struct pollfd poll_end = { .fd = process, .events = POLLIN };
	return poll(&poll_end, 1, 0) > 0;
}

static bool may_pass(const struct error *error)
{
	return error->code == ERROR_BUSY || error->code == ERROR_BUDGET;
}

/* When the next look is due; looks that were missed are not made up for. */
static uint64_t next_due(uint64_t due_ns, unsigned interval_ms)
{
	uint64_t step = interval_ms * NS_PER_MS, now = now_ns();
	due_ns += step;
	return due_ns > now ? due_ns : due_ns + (now - due_ns) / step * step + step;
}

struct error *watch_process(const struct watch *watch, enum watch_end *end)
{
	CLEANUP_CLOSE int process = (int)syscall(SYS_pidfd_open, watch->pid, 0);
	if (process < 0)
		return errno == ESRCH
			       ? error_create(ERROR_REFUSED, "there is no process %d",
					      (int)watch->pid)
			       : error_create(ERROR_SYSTEM, "cannot watch process %d: %s",
					      (int)watch->pid, strerror(errno));
	sigset_t mask;
	hold_signals(&mask);
	uint64_t due_ns = now_ns();
	for (unsigned i = 1;; i++) {
		struct error *error = watch->look(watch->context);
		if (error && has_ended(process)) {
			error_destroy(error);
			*end = WATCH_ENDED;
			return NULL;
		}
		if (error && !may_pass(error))
			return error;
		if (error)
			output_complain(error);
		*end = WATCH_COUNTED;
		if (watch->count && i == watch->count)
			return NULL;
		due_ns = next_due(due_ns, watch->interval_ms);
		if (wait_until(due_ns, process, &mask, end))
			return NULL;
	}
}
