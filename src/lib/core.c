/*
 * lib/core: seep/core.h over the target: opens the process, stops it, writes, lets it go.
 */
#include "seep/core.h"

#include <stdbool.h>
#include <string.h>

#include "base/error.h"
#include "base/new_file.h"
#include "model/core.h"
#include "target/core_write.h"
#include "target/target.h"

#define DEFAULT_PAUSE_MS 200

static struct error *bad_request(const char *what)
{
	return error_create(ERROR_USAGE, "seep_core: %s", what);
}

/* What a newer caller set past the end of our struct we could not heed. */
static bool is_known(const struct seep_core_options *options)
{
	const unsigned char *bytes = (const unsigned char *)options;
	for (size_t i = sizeof(*options); i < options->size; i++)
		if (bytes[i])
			return false;
	return options->size >= sizeof(options->size);
}

static struct error *fill_report(const struct seep_core_options *request,
				 const struct target *target,
				 const struct core_outcome *outcome,
				 struct core_report *report)
{
	report->pid = target->pid;
	report->target = strdup(target->name);
	report->path = strdup(request->output);
	report->file_bytes = outcome->file_bytes;
	report->memory_bytes = outcome->memory_bytes;
	report->left_out_bytes = outcome->left_out_bytes;
	report->threads = target->threads.nr;
	return report->target && report->path ? NULL : error_no_memory();
}

static void note_pause(struct core_report *report, uint64_t pause_ns)
{
	double pause_ms = (double)pause_ns / 1e6;
	report->pause_ms = pause_ms > report->pause_ms ? pause_ms : report->pause_ms;
}

/* Into a new file each time: a copy that was dropped leaves half a core behind. */
static struct error *write_once(const struct seep_core_options *request,
				struct target *target, const struct core_facts *facts,
				struct core_report *report)
{
	struct new_file file;
	struct core_outcome outcome = { 0 };
	struct error *error = new_file_create(request->output, &file);
	if (!error)
		error = target_freeze(target);
	if (!error) {
		error = core_write(target, facts, file.fd, request->output, &outcome);
		note_pause(report, target_thaw(target));
		report->copied = target->freezing.copied;
		note_pause(report, target_settle(target));
	}
	if (!error)
		error = new_file_commit(&file);
	if (!error)
		error = fill_report(request, target, &outcome, report);
	new_file_deinit(&file);
	return error;
}

/* After a copy that had to be dropped the process is stopped and read. */
static struct error *write_core(const struct seep_core_options *request,
				struct target *target, const struct core_facts *facts,
				struct core_report *report)
{
	struct error *error = write_once(request, target, facts, report);
	if (!error || error->code != ERROR_BUSY)
		return error;
	error_destroy(error);
	return write_once(request, target, facts, report);
}

static struct error *make_core(const struct seep_core_options *request,
			       struct core_report *report)
{
	unsigned max_pause_ms = request->max_pause_ms ? request->max_pause_ms
						      : DEFAULT_PAUSE_MS;
	const struct target_frozen_options options = {
		.max_pause_ns = (uint64_t)max_pause_ms * 1000000,
		.freeze = (enum target_freeze)request->freeze,
		.max_copy_bytes = request->max_copy_bytes,
		.command = "core -o FILE",
	};
	struct target *target = NULL;
	struct core_facts facts = { 0 };
	struct error *error = target_frozen_open(request->pid, &options, &target);
	if (!error)
		error = core_facts_read(request->pid, &facts);
	if (!error)
		error = write_core(request, target, &facts, report);
	core_facts_deinit(&facts);
	target_destroy(target);
	return error;
}

struct error *seep_core(const struct seep_core_options *options,
			struct core_report **result)
{
	struct seep_core_options request = { 0 };
	if (!is_known(options))
		return bad_request("the options are of an unknown version");
	memcpy(&request, options,
	       options->size < sizeof(request) ? options->size : sizeof(request));
	if (request.pid <= 0)
		return bad_request("a pid is a positive number");
	if (!request.output)
		return bad_request("give a file to write");
	if ((unsigned)request.freeze > SEEP_FREEZE_STOP)
		return bad_request("unknown freeze");
	struct core_report *report = calloc(1, sizeof(*report));
	if (!report)
		return error_no_memory();
	struct error *error = make_core(&request, report);
	if (error)
		core_report_destroy(report);
	else
		*result = report;
	return error;
}

void seep_core_report_destroy(struct core_report *report)
{
	core_report_destroy(report);
}
