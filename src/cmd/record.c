/* The command `seep record`: every allocation of a program, in a trace. */
#include "model/record.h"
#include "base/quote.h"
#include "cmd/command.h"
#include "cmd/output.h"
#include "cmd/program.h"
#include "report/report.h"
#include "seep/record.h"

struct record_arguments {
	bool addresses, paused, follow_exec;
	unsigned on_full, max_frames;
	uint64_t min_size;
	const char *output;
};

#define FIELD(name) offsetof(struct record_arguments, name)

static const struct option_word full_words[] = PROGRAM_FULL_WORDS(SEEP_RECORD_DROP);

static const struct option options[] = {
	OUTPUT_OPTION(FIELD(output),
		      "the trace to write, which is there from the start; unless said "
		      "seep.NAME.PID.trace in the current folder"),
	{ .name = "min-size",
	  .kind = OPTION_SIZE,
	  .field = FIELD(min_size),
	  .argument = "SIZE",
	  .help = "leave out blocks that are smaller: 64, 4k, 1M" },
	PROGRAM_OPTION_MAX_FRAMES(FIELD(max_frames)),
	PROGRAM_OPTION_ON_FULL(FIELD(on_full), full_words),
	{ .name = "addresses",
	  .kind = OPTION_FLAG,
	  .field = FIELD(addresses),
	  .help = "also keep the addresses of blocks, which makes the trace larger" },
	{ .name = "follow-exec",
	  .kind = OPTION_FLAG,
	  .field = FIELD(follow_exec),
	  .help = "go on with a program that the first one executes in its place, as env "
		  "does" },
	{ .name = "paused",
	  .kind = OPTION_FLAG,
	  .field = FIELD(paused),
	  .help = "record nothing until seep ctl PID start" },
	{ 0 },
};

static const char *const usage[] = { "record [OPTION]... -- COMMAND [ARGUMENT]...",
				     NULL };

static const struct example examples[] = {
	{ "record -- ./server --test", "record a program from its start to its end" },
	{ "record -o monday.trace -- xmllint big.xml", "into a file of your choice" },
	{ "record --min-size 4k -- ./server", "only blocks of 4,000 bytes and more" },
	{ "record --follow-exec -- env DEBUG=1 ./server",
	  "the server, which env becomes" },
	{ 0 },
};

static const struct exit_code exit_codes[] = {
	{ STATUS_USAGE, "the command line is wrong" },
	{ STATUS_UNABLE, "the program cannot be recorded, and was not started" },
	PROGRAM_EXIT_CODES,
	{ 0 },
};

static const struct syntax syntax = {
	.name = "record",
	.summary = "run a program and record every allocation with its call stack",
	.usage = usage,
	.about =
		"Starts a program with seep's runtime in it, and writes a trace: every "
		"block that it allocates and frees, when, by which thread and through "
		"which calls. The program's input and output stay its own, and its exit "
		"status is passed on. seep report reads the trace, also one that was cut "
		"short. Programs on glibc and on musl can be recorded.",
	.options = options,
	.operand = OPERAND_PROGRAM,
	.examples = examples,
	.exit_codes = exit_codes,
};

/* --- what was asked for ------------------------------------------------------------- */

static struct error *check_arguments(const struct record_arguments *arguments,
				     const struct operands *operands)
{
	struct error *error = program_check("record", operands);
	return error || !arguments->output ? error : output_check(arguments->output);
}

/* --- the recording ------------------------------------------------------------------ */

static struct error *record(const struct record_arguments *arguments,
			    const struct operands *operands, int *code,
			    struct record_report **report)
{
	const struct seep_record_options request = {
		.size = sizeof(request),
		.command = operands->items,
		.output = arguments->output,
		.flags = arguments->on_full |
			 (arguments->addresses ? SEEP_RECORD_ADDRESSES : 0u) |
			 (arguments->paused ? SEEP_RECORD_PAUSED : 0u) |
			 (arguments->follow_exec ? SEEP_RECORD_FOLLOW_EXEC : 0u),
		.max_frames = arguments->max_frames,
		.min_size = arguments->min_size,
		.start_code = code,
		.on_start = program_take_signals,
	};
	struct error *error = check_arguments(arguments, operands);
	return error ? error : seep_record(&request, report);
}

static struct error *tell(const struct record_report *report)
{
	struct str file = { 0 };
	quote_for_shell(&file, report->path);
	struct report_options style = output_style(NULL, stderr);
	style.again = str_text(&file);
	struct str text = report_record_text(report, &style);
	struct error *error = output_put(NULL, stderr, &text);
	str_deinit(&file);
	return error;
}

static enum exit_status run(char **argv)
{
	struct record_arguments arguments = { 0 };
	struct operands operands;
	enum exit_status status;
	if (!command_begin(&record_command, argv, &arguments, &operands, &status))
		return status;
	struct record_report *report = NULL;
	int code = 0;
	struct error *error = record(&arguments, &operands, &code, &report);
	if (error) {
		status = output_complain(error);
		return code ? (enum exit_status)code : status;
	}
	error = tell(report);
	status = (enum exit_status)program_exit_status(report->command_status);
	if (error)
		output_complain(error);
	seep_record_report_destroy(report);
	return status;
}

const struct command record_command = { &syntax, run };
