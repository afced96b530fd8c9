/* The command `seep why`: why a process has so much memory resident. */
#include "seep/why.h"

#include "cmd/command.h"
#include "cmd/heap_rows.h"
#include "cmd/output.h"
#include "cmd/process.h"
#include "report/report.h"

struct why_arguments {
	bool json, verbose;
	const char *output, *recording;
	unsigned freeze, max_pause_ms;
	uint64_t max_copy_bytes;
};

#define FIELD(name) offsetof(struct why_arguments, name)

static const struct option options[] = {
	HEAP_OPTION_RECORDING(struct why_arguments),
	FREEZE_OPTION_HOW(FIELD(freeze)),
	FREEZE_OPTION_MAX_COPY(FIELD(max_copy_bytes)),
	FREEZE_OPTION_MAX_PAUSE(FIELD(max_pause_ms)),
	{ .name = "verbose",
	  .letter = 'v',
	  .kind = OPTION_FLAG,
	  .field = FIELD(verbose),
	  .help = "every part, arena and type" },
	{ .name = "json",
	  .kind = OPTION_FLAG,
	  .field = FIELD(json),
	  .help = "report in JSON, schema seep.why/1" },
	OUTPUT_OPTION(FIELD(output), OUTPUT_OF_REPORT),
	{ 0 },
};

static const char *const usage[] = { "why [OPTION]... PID|NAME", NULL };

static const struct example examples[] = {
	{ "why 412", "why does process 412 take so much memory?" },
	{ "why --recording 412.trace 412", "whose blocks pin its pages?" },
	{ "why --freeze stop --max-pause 2s redis-server",
	  "without a copy: it stands still while its heap is read" },
	{ "why --json 412 | jq '.parts[] | select(.kind == \"opaque\")'",
	  "what could not be explained" },
	{ 0 },
};

static const struct exit_code exit_codes[] = {
	{ STATUS_FINE, "the memory was explained" },
	{ STATUS_USAGE,
	  "the command line is wrong, or several processes have that name" },
	{ STATUS_UNABLE, "the process could not be inspected" },
	{ 0 },
};

static const struct syntax syntax = {
	.name = "why",
	.summary = "tell why a process has so much memory resident",
	.usage = usage,
	.about =
		"Explains every resident page of a process by evidence: live blocks by type, "
		"what malloc keeps free and where, its own records, stacks, variables, files; "
		"says what is opaque, and what is left. Tells which blocks pin pages that are "
		"free otherwise, what malloc_trim would give back, and why there are so many "
		"arenas. From 64 MB on it reads a frozen copy while the process runs on.",
	.options = options,
	.operand = OPERAND_PROCESS,
	.examples = examples,
	.exit_codes = exit_codes,
};

static struct error *write_report(const struct why_arguments *arguments,
				  const struct why_report *report)
{
	struct report_options style = output_style(arguments->output, stdout);
	style.flags |= arguments->verbose ? REPORT_VERBOSE : 0;
	struct str text =
		report_renderer(arguments->json ? "json" : "text")->why(report, &style);
	return output_put(arguments->output, stdout, &text);
}

/* What was resident no file tells. */
static struct error *find_process(const char *target, pid_t *pid)
{
	const char *file = NULL;
	struct error *error = process_or_file(target, pid, &file);
	if (error || !file)
		return error;
	return error_remedy(
		error_create(ERROR_REFUSED,
			     "\"%s\" is a file, and only a running process has memory "
			     "that is resident",
			     file),
		"of a core or a snapshot, what it was made of: seep vm %s", file);
}

static struct error *ask(const struct why_arguments *arguments,
			 const struct operands *operands, struct why_report **report)
{
	struct seep_why_options request = {
		.size = sizeof(request),
		.max_pause_ms = arguments->max_pause_ms,
		.freeze = (enum seep_freeze)arguments->freeze,
		.max_copy_bytes = arguments->max_copy_bytes,
		.recording = arguments->recording,
	};
	struct error *error = process_require("why", operands);
	if (!error && arguments->output)
		error = output_check(arguments->output);
	if (!error)
		error = find_process(operands->items[0], &request.pid);
	return error ? error : seep_why(&request, report);
}

static enum exit_status run(char **argv)
{
	struct why_arguments arguments = { 0 };
	struct operands operands;
	enum exit_status status;
	if (!command_begin(&why_command, argv, &arguments, &operands, &status))
		return status;
	struct why_report *report = NULL;
	struct error *error = ask(&arguments, &operands, &report);
	if (!error)
		error = write_report(&arguments, report);
	seep_why_report_destroy(report);
	return error ? output_complain(error) : STATUS_FINE;
}

const struct command why_command = { &syntax, run };
