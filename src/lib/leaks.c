/*
 * lib/leaks: seep/leaks.h over the analysis. Fills in defaults and checks what a caller
 * built against another version may have got wrong; does nothing of its own.
 */
#include "seep/leaks.h"

#include <assert.h>

#include "analyse/leaks.h"
#include "analyse/source.h"
#include "base/error.h"
#include "lib/recording.h"
#include "lib/request.h"
#include "model/leaks.h"
#include "target/target.h"

/* The analysis speaks of kinds, groups and flags with the same numbers. */
static_assert(SEEP_KIND_DEFINITE == 1 << LEAK_DEFINITE, "definite");
static_assert(SEEP_KIND_INDIRECT == 1 << LEAK_INDIRECT, "indirect");
static_assert(SEEP_KIND_POSSIBLE == 1 << LEAK_POSSIBLE, "possible");
static_assert(SEEP_KIND_REACHABLE == 1 << LEAK_REACHABLE, "reachable");
static_assert((int)SEEP_GROUP_BY_ROOT == (int)GROUP_BY_ROOT, "group_by");
static_assert((int)SEEP_FREEZE_COPY == (int)TARGET_FREEZE_COPY, "freeze");
static_assert((int)SEEP_FREEZE_STOP == (int)TARGET_FREEZE_STOP, "freeze");
static_assert((int)SEEP_LEAKS_STRICT == (int)ANALYSE_STRICT, "flags");
static_assert((int)SEEP_LEAKS_TYPES == (int)ANALYSE_TYPES, "flags");

#define DEFAULT_EXAMPLES 3

#define KNOWN_FLAGS ((unsigned)(SEEP_LEAKS_STRICT | SEEP_LEAKS_TYPES))
#define KNOWN_KINDS                                                                      \
	((unsigned)(SEEP_KIND_DEFINITE | SEEP_KIND_INDIRECT | SEEP_KIND_POSSIBLE |       \
		    SEEP_KIND_REACHABLE))

static struct error *bad_request(const char *what)
{
	return error_create(ERROR_USAGE, "seep_leaks: %s", what);
}

static struct error *check_request(const struct seep_leaks_options *request)
{
	if (!request->pid + !request->command + !request->file != 2)
		return bad_request("give either a pid, a command, or a file");
	if (request->pid < 0)
		return bad_request("a pid is a positive number");
	if (request->sysroot && !request->file)
		return bad_request("a sysroot is for a file");
	if (request->recording && (request->command || request->diff_from))
		return bad_request(
			"a recording goes with neither a command nor a snapshot");
	if (request->command && !request->command[0])
		return bad_request("the command is empty");
	if (request->flags & ~KNOWN_FLAGS)
		return bad_request("unknown flags");
	if (request->kinds & ~KNOWN_KINDS)
		return bad_request("unknown kinds");
	if ((unsigned)request->group_by > SEEP_GROUP_BY_ROOT)
		return bad_request("unknown group_by");
	if ((unsigned)request->freeze > SEEP_FREEZE_STOP)
		return bad_request("unknown freeze");
	return NULL;
}

struct error *seep_leaks(const struct seep_leaks_options *options,
			 struct leaks_report **report)
{
	struct seep_leaks_options request;
	if (!request_copy(options, options->size, &request, sizeof(request)))
		return bad_request("the options are of an unknown version");
	struct error *error = check_request(&request);
	if (error)
		return error;

	const struct source_trace trace = { request.recording, recording_flush };
	const struct analyse_leaks_options wanted = {
		.pid = request.pid,
		.command = request.command,
		.command_status = request.command_status,
		.file = request.file,
		.sysroot = request.sysroot,
		.trace = request.recording ? &trace : NULL,
		.flags = request.flags,
		.kinds = request.kinds ? request.kinds
				       : SEEP_KIND_DEFINITE | SEEP_KIND_POSSIBLE,
		.group_by = (unsigned)request.group_by,
		.excludes = request.excludes,
		.suppressions = request.suppressions,
		.max_pause_ms = request.max_pause_ms ? request.max_pause_ms
						     : REQUEST_PAUSE_MS,
		.max_findings = request.max_findings,
		.diff_from = request.diff_from,
		.baseline = request.baseline,
		.max_examples = request.max_examples ? request.max_examples
						     : DEFAULT_EXAMPLES,
		.freeze = (unsigned)request.freeze,
		.max_copy_bytes = request.max_copy_bytes,
	};
	return analyse_leaks(&wanted, report);
}

void seep_leaks_baseline_destroy(struct baseline *baseline)
{
	baseline_destroy(baseline);
}

void seep_leaks_report_destroy(struct leaks_report *report)
{
	leaks_report_destroy(report);
}
