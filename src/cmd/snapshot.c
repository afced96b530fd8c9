/* The command `seep snapshot`: what a look saw, in a file. */
#include <string.h>

#include "base/quote.h"
#include "cmd/command.h"
#include "cmd/heap_rows.h"
#include "cmd/output.h"
#include "cmd/process.h"
#include "report/report.h"
#include "seep/snapshot.h"

struct snapshot_arguments {
	bool contents, types, answers, json;
	const char *output, *recording;
	unsigned max_pause_ms;
};

#define FIELD(name) offsetof(struct snapshot_arguments, name)

static const struct option options[] = {
	OUTPUT_OPTION(FIELD(output),
		      "the snapshot to write, which appears when it is complete"),
	{ .name = "contents",
	  .kind = OPTION_FLAG,
	  .field = FIELD(contents),
	  .help = "also store all memory that the process wrote, with whatever secrets are "
		  "in it" },
	{ .name = "types",
	  .kind = OPTION_FLAG,
	  .field = FIELD(types),
	  .help = "also store the types of blocks that debug information tells for certain" },
	{ .name = "answers",
	  .kind = OPTION_FLAG,
	  .field = FIELD(answers),
	  .help = "also store what seep heap finds out of the graph, so that it answers at "
		  "once: the file is twice as large, and takes as long as seep heap" },
	HEAP_OPTION_RECORDING(struct snapshot_arguments),
	FREEZE_OPTION_MAX_PAUSE(FIELD(max_pause_ms)),
	{ .name = "json",
	  .kind = OPTION_FLAG,
	  .field = FIELD(json),
	  .help = "tell what was stored in JSON, schema seep.snapshot/1" },
	{ 0 },
};

static const char *const usage[] = { "snapshot [OPTION]... -o FILE TARGET", NULL };

static const struct example examples[] = {
	{ "snapshot -o monday.seep 412", "keep what process 412 holds now" },
	{ "leaks monday.seep", "what had it lost? Here, or on another machine" },
	{ "leaks --diff-from monday.seep 412", "what has it lost since?" },
	{ "snapshot --contents --max-pause 2s -o all.seep redis-server",
	  "with its memory, for what is asked later" },
	{ 0 },
};

static const struct exit_code exit_codes[] = {
	{ STATUS_FINE, "the snapshot was written" },
	{ STATUS_USAGE,
	  "the command line is wrong, or several processes have that name" },
	{ STATUS_UNABLE,
	  "the process could not be inspected, or the file not be written" },
	{ 0 },
};

static const struct syntax syntax = {
	.name = "snapshot",
	.summary = "store what a look at a process sees, to ask later",
	.usage = usage,
	.about =
		"Looks into a process as seep leaks does, and stores its heap as a graph: "
		"the blocks, who points at whom, and the names of what holds them. The "
		"contents of memory are not stored unless asked for. seep leaks FILE then "
		"answers as it would have answered of the process at that moment, also "
		"where neither the process nor its program is at hand.",
	.options = options,
	.operand = OPERAND_TARGET,
	.examples = examples,
	.exit_codes = exit_codes,
};

static struct error *check_arguments(const struct snapshot_arguments *arguments,
				     const struct operands *operands)
{
	struct error *error = process_require("snapshot", operands);
	if (error)
		return error;
	if (!arguments->output)
		return error_remedy(error_create(ERROR_USAGE,
						 "seep snapshot needs a file to write"),
				    "seep snapshot -o heap.seep %s", operands->items[0]);
	return output_check(arguments->output);
}

static struct error *take(const struct snapshot_arguments *arguments,
			  const struct operands *operands,
			  struct snapshot_report **report)
{
	struct seep_snapshot_options request = {
		.size = sizeof(request),
		.output = arguments->output,
		.flags = (arguments->contents ? SEEP_SNAPSHOT_CONTENTS : 0) |
			 (arguments->types ? SEEP_SNAPSHOT_TYPES : 0) |
			 (arguments->answers ? SEEP_SNAPSHOT_ANSWERS : 0),
		.recording = arguments->recording,
		.max_pause_ms = arguments->max_pause_ms,
	};
	struct error *error = check_arguments(arguments, operands);
	if (!error)
		error = process_or_file(operands->items[0], &request.pid, &request.file);
	return error ? error : seep_snapshot(&request, report);
}

static struct error *tell(const struct snapshot_arguments *arguments,
			  const struct snapshot_report *report)
{
	struct str file = { 0 };
	quote_for_shell(&file, arguments->output);
	struct report_options style = output_style(NULL, stdout);
	style.again = str_text(&file);
	struct str text = report_renderer(arguments->json ? "json" : "text")
				  ->snapshot(report, &style);
	struct error *error = output_put(NULL, stdout, &text);
	str_deinit(&file);
	return error;
}

static enum exit_status run(char **argv)
{
	struct snapshot_arguments arguments = { 0 };
	struct operands operands;
	enum exit_status status;
	if (!command_begin(&snapshot_command, argv, &arguments, &operands, &status))
		return status;
	struct snapshot_report *report = NULL;
	struct error *error = take(&arguments, &operands, &report);
	if (!error)
		error = tell(&arguments, report);
	status = error ? output_complain(error) : STATUS_FINE;
	seep_snapshot_report_destroy(report);
	return status;
}

const struct command snapshot_command = { &syntax, run };
