/* recorder: see recorder.h. */
#include "record/recorder.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "record/consumer.h"
#include "record/control.h"
#include "record/gaps.h"
#include "record/launch.h"
#include "record/unfollowed.h"

/* Naps are a fifth of a ring and less: the kernel may not stretch them by more than this. */
#define TIMER_SLACK_NS 1000u

struct recorder {
	const struct recorder_options *options;
	struct record_session *session;
	struct launch launch;
	struct trace_writer *trace;
	struct consumer *consumer;
	struct unfollowed unfollowed;
	struct error *trouble; /* why nothing is recorded any more */
	char *output;
	int pidfd;   /* -1: the kernel has none */
	int control; /* record/control.h */
	int status;
	bool has_ended;
};

/* --- the file ----------------------------------------------------------------------- */

static const char *name_of(const struct recorder *recorder)
{
	const char *word = recorder->options->command[0];
	const char *slash = strrchr(word, '/');
	return slash && slash[1] ? slash + 1 : word;
}

static struct error *choose_output(struct recorder *recorder)
{
	const char *given = recorder->options->output;
	if (given)
		recorder->output = strdup(given);
	else if (asprintf(&recorder->output, "seep.%s.%d.trace", name_of(recorder),
			  (int)recorder->launch.pid) < 0)
		recorder->output = NULL;
	return recorder->output ? NULL : error_no_memory();
}

static void read_boot_id(char *text, size_t size)
{
	CLEANUP_CLOSE int fd =
		open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
	ssize_t got = fd < 0 ? 0 : read(fd, text, size - 1);
	text[got > 0 ? got : 0] = '\0';
	text[strcspn(text, "\n")] = '\0';
}

static struct error *make_trace(struct recorder *recorder)
{
	const struct recorder_options *options = recorder->options;
	char boot_id[64], host[256] = "";
	struct timespec now;
	CLEANUP_FREE char *path = realpath(recorder->launch.path, NULL);
	read_boot_id(boot_id, sizeof(boot_id));
	gethostname(host, sizeof(host) - 1);
	clock_gettime(CLOCK_REALTIME, &now);
	const struct trace_writer_run run = {
		.start_ns = (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec,
		.pid = (uint64_t)recorder->launch.pid,
		.min_size = options->min_size,
		.flags = (options->keeps_addresses ? TRACE_WRITER_ADDRESSES : 0u) |
			 (options->drops ? TRACE_WRITER_DROPS : 0u),
		.max_frames = options->max_frames,
		.name = name_of(recorder),
		.path = path,
		.host = host,
		.boot_id = boot_id,
		.version = SEEP_VERSION,
		.arguments = options->command,
	};
	struct error *error = choose_output(recorder);
	return error ? error
		     : trace_writer_create(recorder->output, &run, &recorder->trace);
}

/* --- setting up --------------------------------------------------------------------- */

static struct error *prepare(struct recorder *recorder, int *code)
{
	const struct recorder_options *options = recorder->options;
	const struct record_session_options wanted = {
		.on_full = options->drops ? SESSION_DROP : SESSION_BLOCK,
		.max_frames = options->max_frames,
		.min_size = options->min_size,
		.is_paused = options->is_paused,
		.follows = options->follows,
	};
	struct error *error = record_session_create(&wanted, &recorder->session);
	if (!error)
		error = launch_prepare(&recorder->launch, options->command,
				       record_session_name(recorder->session));
	*code = recorder->launch.status;
	if (!error)
		record_session_follow(recorder->session, recorder->launch.pid);
	if (!error)
		error = make_trace(recorder);
	if (!error)
		error = consumer_create(recorder->session, recorder->trace,
					&recorder->consumer);
	return error;
}

static struct error *set_off(struct recorder *recorder, int *code)
{
	const struct recorder_options *options = recorder->options;
	struct error *error = prepare(recorder, code);
	if (error)
		return error;
	recorder->pidfd = (int)syscall(SYS_pidfd_open, recorder->launch.pid, 0);
	recorder->control = control_open(recorder->launch.pid);
	prctl(PR_SET_TIMERSLACK, TIMER_SLACK_NS, 0, 0, 0);
	if (options->on_start)
		options->on_start(options->context, recorder->launch.pid);
	error = launch_go(&recorder->launch, options->command[0], NULL);
	*code = recorder->launch.status;
	return error;
}

static void tear_down(struct recorder *recorder)
{
	launch_deinit(&recorder->launch);
	consumer_destroy(recorder->consumer);
	trace_writer_destroy(recorder->trace);
	record_session_destroy(recorder->session);
	if (recorder->pidfd >= 0)
		close(recorder->pidfd);
	if (recorder->control >= 0)
		close(recorder->control);
	unfollowed_deinit(&recorder->unfollowed);
	error_destroy(recorder->trouble);
	free(recorder->output);
}

/* --- while it runs ------------------------------------------------------------------ */

/* A trace that lacks something does not tell what lives. */
static struct error *flush(struct recorder *recorder, const char *file,
			   const char **refusal)
{
	char own[CONTROL_FILE_NAME_BYTES] = "";
	struct stat status;
	/* Another file may have its name by now. */
	if (fstat(trace_writer_fd(recorder->trace), &status) == 0)
		control_file_name(&status, own);
	if (strcmp(file, own) != 0)
		*refusal = "that file is not the trace that the process is recorded into";
	else if (consumer_is_replaced(recorder->consumer))
		*refusal =
			"the process has executed another program, which is not recorded";
	else if (!consumer_has_all(recorder->consumer))
		*refusal = "events of the process were lost, so that the trace does not "
			   "tell which blocks live";
	return *refusal ? NULL : trace_writer_flush(recorder->trace);
}

/* What happened before a request comes before it in the trace. */
static struct error *obey(struct recorder *recorder)
{
	struct control_request request;
	struct error *error = NULL;
	while (!error && recorder->control >= 0 &&
	       control_receive(recorder->control, &request)) {
		const char *refusal = NULL;
		error = consumer_round(recorder->consumer);
		if (error)
			break;
		if (request.verb == CONTROL_FLUSH)
			error = flush(recorder, request.name, &refusal);
		else if (request.verb != CONTROL_MARK)
			consumer_set_recording(recorder->consumer,
					       request.verb == CONTROL_START);
		else if (!consumer_mark(recorder->consumer, request.name))
			refusal = "the program has not begun yet";
		if (error)
			break;
		control_answer(recorder->control, &request, refusal);
	}
	return error;
}

/* Until the program ends, somebody asks for something, or so long. */
static void nap(const struct recorder *recorder, uint64_t ns)
{
	struct pollfd ends[] = {
		{ .fd = recorder->pidfd, .events = POLLIN },
		{ .fd = recorder->control, .events = POLLIN },
	};
	struct timespec time = { .tv_sec = (time_t)(ns / 1000000000u),
				 .tv_nsec = (long)(ns % 1000000000u) };
	ppoll(ends, ARRAY_SIZE(ends), &time, NULL);
}

/* The program goes on without being recorded. */
static void give_up(struct recorder *recorder, struct error *error)
{
	recorder->trouble = error;
	consumer_end(recorder->consumer);
}

static void wait_for_end(struct recorder *recorder, int flags)
{
	pid_t pid = waitpid(recorder->launch.pid, &recorder->status, flags);
	recorder->has_ended = pid > 0 || (pid < 0 && errno != EINTR);
}

static void record(struct recorder *recorder)
{
	while (!recorder->has_ended && !recorder->trouble) {
		struct error *error = consumer_round(recorder->consumer);
		if (!error) {
			nap(recorder, consumer_nap_ns(recorder->consumer));
			error = obey(recorder);
		}
		if (error)
			give_up(recorder, error);
		if (recorder->options->follows &&
		    consumer_is_replaced(recorder->consumer))
			unfollowed_look(&recorder->unfollowed, recorder->launch.pid);
		wait_for_end(recorder, WNOHANG);
	}
	while (!recorder->has_ended)
		wait_for_end(recorder, 0);
	if (recorder->trouble)
		return;
	struct error *error = consumer_finish(recorder->consumer);
	if (error)
		give_up(recorder, error);
}

/* --- the end ------------------------------------------------------------------------ */

static struct error *finish_trace(struct recorder *recorder)
{
	const struct ledger *ledger = consumer_ledger(recorder->consumer);
	const struct ledger_totals *totals = &ledger->totals;
	struct trace_writer_summary summary = {
		.duration_us = consumer_now_us(recorder->consumer),
		.allocations = totals->allocations,
		.frees = totals->frees,
		.lost = totals->lost,
		.bytes = totals->bytes,
		.peak_bytes = totals->peak_bytes,
		.peak_us = totals->peak_us,
		.live_bytes = totals->live_bytes,
		.live_blocks = totals->live_blocks,
		.temporary = totals->temporary,
		.executions = totals->executions,
		.replaced_blocks = totals->replaced_blocks,
		.replaced_bytes = totals->replaced_bytes,
	};
	if (WIFEXITED(recorder->status)) {
		summary.flags |= TRACE_WRITER_EXITED;
		summary.code = (uint64_t)WEXITSTATUS(recorder->status);
	} else if (WIFSIGNALED(recorder->status)) {
		summary.flags |= TRACE_WRITER_KILLED;
		summary.code = (uint64_t)WTERMSIG(recorder->status);
	}
	if (!recorder->trouble && consumer_state(recorder->consumer) == SESSION_JOINED)
		summary.flags |= TRACE_WRITER_TO_THE_END;
	return trace_writer_finish(recorder->trace, &summary);
}

static struct error *warn_of_execution(const struct recorder *recorder,
				       struct sentence_vec *warnings)
{
	const struct error *why = recorder->unfollowed.why;
	if (why)
		return sentences_add(
			warnings,
			"the program executed another, which was not recorded: %s",
			why->sentence);
	if (!consumer_is_replaced(recorder->consumer) ||
	    consumer_nr_missed(recorder->consumer))
		return NULL;
	if (!recorder->options->follows)
		return sentences_add(warnings,
				     "the program executed another, which was not "
				     "recorded; --follow-exec goes on with that one");
	return sentences_add(
		warnings,
		"the program executed another, which was not recorded: static and "
		"set-uid programs cannot be, nor those that are given an environment "
		"without LD_PRELOAD and " SESSION_VARIABLE);
}

static struct error *warn_of_all(const struct recorder *recorder,
				 struct record_report *report)
{
	const struct gaps gaps = {
		.consumer = recorder->consumer,
		.trouble = recorder->trouble,
		.why_lost = recorder->options->drops
				    ? "the program was faster than seep; without "
				      "--on-full drop it waits"
				    : "threads had no place for them",
	};
	struct error *error = gaps_tell(&gaps, &report->warnings);
	return error ? error : warn_of_execution(recorder, &report->warnings);
}

static struct record_report *make_report(struct recorder *recorder)
{
	const struct ledger_totals *totals = &consumer_ledger(recorder->consumer)->totals;
	struct record_report *report = calloc(1, sizeof(*report));
	if (!report)
		return NULL;
	report->pid = recorder->launch.pid;
	report->target =
		consumer_title(recorder->consumer, recorder->options->command[0]);
	report->path = strdup(recorder->output);
	report->file_bytes = trace_writer_size(recorder->trace);
	report->allocations = totals->allocations;
	report->frees = totals->frees;
	report->lost_events = totals->lost;
	report->peak_bytes = totals->peak_bytes;
	report->live_bytes = totals->live_bytes;
	report->live_blocks = totals->live_blocks;
	report->seconds = (double)consumer_now_us(recorder->consumer) / 1e6;
	report->command_status = recorder->status;
	error_destroy(warn_of_all(recorder, report));
	return report;
}

struct error *recorder_run(const struct recorder_options *options, int *status, int *code,
			   struct record_report **report)
{
	struct recorder recorder = {
		.options = options,
		.launch = { .go = -1, .complaint = -1 },
		.pidfd = -1,
		.control = -1,
	};
	*status = -1;
	*code = 0;
	struct error *error = set_off(&recorder, code);
	if (error) {
		tear_down(&recorder);
		return error;
	}
	record(&recorder);
	*status = recorder.status;
	error = finish_trace(&recorder);
	if (!recorder.trouble)
		recorder.trouble = error;
	else
		error_destroy(error);
	*report = make_report(&recorder);
	tear_down(&recorder);
	return *report ? NULL : error_no_memory();
}
