/* The command `seep core`: an ELF core of a process that goes on. */
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/quote.h"
#include "cmd/command.h"
#include "cmd/freeze.h"
#include "cmd/output.h"
#include "cmd/process.h"
#include "report/report.h"
#include "seep/core.h"

struct core_arguments {
	bool json;
	const char *output;
	unsigned freeze, max_pause_ms;
	uint64_t max_copy_bytes;
};

#define FIELD(name) offsetof(struct core_arguments, name)

static const struct option options[] = {
	OUTPUT_OPTION(FIELD(output),
		      "the core to write, which appears when it is complete"),
	FREEZE_OPTION_HOW(FIELD(freeze)),
	FREEZE_OPTION_MAX_COPY(FIELD(max_copy_bytes)),
	FREEZE_OPTION_MAX_PAUSE(FIELD(max_pause_ms)),
	{ .name = "json",
	  .kind = OPTION_FLAG,
	  .field = FIELD(json),
	  .help = "tell what was written in JSON, schema seep.core/1" },
	{ 0 },
};

static const char *const usage[] = { "core [OPTION]... -o FILE PID|NAME", NULL };

static const struct example examples[] = {
	{ "core -o core.412 412", "keep the memory of process 412 as it is now" },
	{ "core --freeze stop --max-pause 5s -o core.redis redis-server",
	  "without a copy, of a large one that may wait that long" },
	{ "leaks core.412", "what had it lost? Here, or on another machine" },
	{ 0 },
};

static const struct exit_code exit_codes[] = {
	{ STATUS_FINE, "the core was written" },
	{ STATUS_USAGE,
	  "the command line is wrong, or several processes have that name" },
	{ STATUS_UNABLE,
	  "the process could not be inspected, or the file not be written" },
	{ 0 },
};

static const struct syntax syntax = {
	.name = "core",
	.summary = "write a core of a running process, which goes on",
	.usage = usage,
	.about =
		"Writes the memory and registers of a process as the kernel would when it crashes, "
		"while it goes on: a large process is copied as fork does and stopped only for "
		"that, a small one is stopped while it is read. The file is a core for gdb and for seep leaks; "
		"only you can read it, and it has whatever secrets are in that memory. Memory "
		"that was never written to takes no room; mapped files are not copied.",
	.options = options,
	.operand = OPERAND_PROCESS,
	.examples = examples,
	.exit_codes = exit_codes,
};

static struct error *check_output(const char *path)
{
	struct stat status;
	struct error *error = output_check(path);
	if (error || stat(path, &status) != 0 || S_ISREG(status.st_mode))
		return error;
	return error_remedy(error_create(ERROR_USAGE,
					 "%s is no regular file, which a core must be",
					 path),
			    "give -o the name of a new file");
}

static struct error *check_arguments(const struct core_arguments *arguments,
				     const struct operands *operands)
{
	struct error *error = process_require("core", operands);
	if (error)
		return error;
	if (!arguments->output)
		return error_remedy(error_create(ERROR_USAGE,
						 "seep core needs a file to write"),
				    "seep core -o core.seep %s", operands->items[0]);
	return check_output(arguments->output);
}

static struct error *take(const struct core_arguments *arguments,
			  const struct operands *operands, struct core_report **report)
{
	struct seep_core_options request = {
		.size = sizeof(request),
		.output = arguments->output,
		.max_pause_ms = arguments->max_pause_ms,
		.freeze = (enum seep_freeze)arguments->freeze,
		.max_copy_bytes = arguments->max_copy_bytes,
	};
	struct error *error = check_arguments(arguments, operands);
	if (!error)
		error = process_find(operands->items[0], &request.pid);
	return error ? error : seep_core(&request, report);
}

static struct error *tell(const struct core_arguments *arguments,
			  const struct core_report *report)
{
	struct str file = { 0 };
	quote_for_shell(&file, arguments->output);
	struct report_options style = output_style(NULL, stdout);
	style.again = str_text(&file);
	struct str text =
		report_renderer(arguments->json ? "json" : "text")->core(report, &style);
	struct error *error = output_put(NULL, stdout, &text);
	str_deinit(&file);
	return error;
}

static enum exit_status run(char **argv)
{
	struct core_arguments arguments = { 0 };
	struct operands operands;
	enum exit_status status;
	if (!command_begin(&core_command, argv, &arguments, &operands, &status))
		return status;
	/* A file that grows beyond ulimit -f is an error to be told, not to die of. */
	signal(SIGXFSZ, SIG_IGN);
	struct core_report *report = NULL;
	struct error *error = take(&arguments, &operands, &report);
	if (!error)
		error = tell(&arguments, report);
	status = error ? output_complain(error) : STATUS_FINE;
	seep_core_report_destroy(report);
	return status;
}

const struct command core_command = { &syntax, run };
