/* The command `seep run`: a program's leaks at its end, with the call stacks that made them. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "base/quote.h"
#include "cmd/command.h"
#include "cmd/leak_choice.h"
#include "cmd/output.h"
#include "cmd/program.h"
#include "model/run.h"
#include "report/report.h"
#include "seep/leaks.h"
#include "seep/run.h"

#define FAILED 1 /* when a condition holds and no status is given */

struct run_arguments {
	struct leak_choice choice;
	unsigned max_frames, on_full, error_exitcode;
	bool json, verbose;
	const char *output, *baseline, *junit, *sarif, *snapshot;
	struct text_vec fail_on;
};

#define FIELD(name) offsetof(struct run_arguments, name)

static const struct option_word kinds[] =
	LEAK_KIND_WORDS("the program could still get at it");

static const struct option_word full_words[] = PROGRAM_FULL_WORDS(SEEP_RUN_DROP);

static const struct option options[] = {
	{ .name = "error-exitcode",
	  .kind = OPTION_COUNT,
	  .field = FIELD(error_exitcode),
	  .argument = "N",
	  .help = "end with this status when a --fail-on condition holds, which is \"leak\" "
		  "unless said; else with the program's own" },
	{ .name = "fail-on",
	  .kind = OPTION_TEXTS,
	  .field = FIELD(fail_on),
	  .argument = "CONDITION",
	  .help = "\"leak\": there are leaks that are not suppressed, and new if there is a "
		  "--baseline; \"growth>SIZE\": more than that is still allocated at the end, "
		  "or more than that above the baseline; may be repeated, and the status is 1 "
		  "unless --error-exitcode says another" },
	LEAK_OPTION_KINDS(FIELD(choice), kinds),
	LEAK_OPTION_STRICT(FIELD(choice)),
	LEAK_OPTION_EXCLUDE(FIELD(choice)),
	LEAK_OPTION_SUPPRESSIONS(FIELD(choice)),
	LEAK_OPTION_GEN_SUPPRESSIONS(FIELD(choice)),
	{ .name = "baseline",
	  .kind = OPTION_FILE,
	  .field = FIELD(baseline),
	  .argument = "FILE",
	  .help = "a report in JSON of an earlier run: only leaks that it does not have "
		  "count and are listed" },
	{ .name = "json",
	  .kind = OPTION_FLAG,
	  .field = FIELD(json),
	  .help = "report in JSON, schema seep.run/1; needs -o" },
	OUTPUT_OPTION(FIELD(output), "write the report to a file instead of stderr"),
	{ .name = "junit",
	  .kind = OPTION_FILE,
	  .field = FIELD(junit),
	  .argument = "FILE",
	  .help = "also write the leaks as JUnit's XML, each a test that failed" },
	{ .name = "sarif",
	  .kind = OPTION_FILE,
	  .field = FIELD(sarif),
	  .argument = "FILE",
	  .help = "also write them in SARIF, for services that show them beside the code" },
	{ .name = "snapshot",
	  .kind = OPTION_FILE,
	  .field = FIELD(snapshot),
	  .argument = "FILE",
	  .help = "also store the heap as it was at the end, with what allocated each block, for "
		  "seep heap and seep query" },
	LEAK_OPTION_MAX_FINDINGS(
		FIELD(choice),
		"list so many, biggest first, or \"all\"; unless said 20 in text, and all "
		"in every other form"),
	LEAK_OPTION_EXAMPLES(FIELD(choice)),
	PROGRAM_OPTION_MAX_FRAMES(FIELD(max_frames)),
	PROGRAM_OPTION_ON_FULL(FIELD(on_full), full_words),
	{ .name = "verbose",
	  .letter = 'v',
	  .kind = OPTION_FLAG,
	  .field = FIELD(verbose),
	  .help = "whole call stacks, full paths, fingerprints, all warnings" },
	{ 0 },
};

static const char *const usage[] = { "run [OPTION]... -- COMMAND [ARGUMENT]...", NULL };

static const struct example examples[] = {
	{ "run -- ./server --test", "what did it leak, and who allocated that?" },
	{ "run --error-exitcode 9 -- ./check-server",
	  "fail a test run when there are leaks" },
	{ "run --fail-on leak --suppressions known.supp --junit leaks.xml -- ./test",
	  "the same, without known leaks, and with a report for a build server" },
	{ "run --json -o before.json -- ./test", "what leaks today" },
	{ "run --baseline before.json --fail-on leak -- ./test",
	  "only what is new counts" },
	{ "run --snapshot end.seep -- ./test",
	  "what was there at its end, for seep heap" },
	{ "run --fail-on 'growth>20M' -- ./test", "no more than 20 MB left at the end" },
	{ 0 },
};

static const struct exit_code exit_codes[] = {
	{ FAILED,
	  "a --fail-on condition holds, and --error-exitcode gives no other status" },
	{ STATUS_USAGE, "the command line is wrong" },
	{ STATUS_UNABLE,
	  "the program cannot be recorded, and was not started; or whether a "
	  "condition holds could not be found out" },
	PROGRAM_EXIT_CODES,
	{ 0 },
};

static const struct syntax syntax = {
	.name = "run",
	.summary = "run a program and say at its end what it leaked, and where",
	.usage = usage,
	.about =
		"Starts a program with seep's runtime in it, which records every block with "
		"its call stack, and stops it at its exit, while its memory still stands. What "
		"no pointer leads to any more is leaked: it is told with the stack that "
		"allocated it, the source line, and the functions that were inlined there. Any "
		"allocator will do, on glibc or musl.\n\n"
		"The program's input and output stay its own, the report goes to stderr or to a "
		"file, and the program's exit status is passed on unless a condition says "
		"otherwise.",
	.options = options,
	.operand = OPERAND_PROGRAM,
	.examples = examples,
	.exit_codes = exit_codes,
};

/* --- conditions --------------------------------------------------------------------- */

struct conditions {
	bool any, leak, growth;
	uint64_t most_growth;
};

static const struct suffix {
	const char *text;
	uint64_t factor;
} suffixes[] = { { "", 1 }, { "k", 1000 }, { "M", 1000000 }, { "G", 1000000000 } };

static bool parse_size(const char *text, uint64_t *size)
{
	char *end = NULL;
	if (*text < '0' || *text > '9')
		return false;
	unsigned long long number = strtoull(text, &end, 10);
	for (size_t i = 0; i < ARRAY_SIZE(suffixes); i++) {
		*size = number * suffixes[i].factor;
		if (!strcmp(end, suffixes[i].text) &&
		    number <= UINT64_MAX / suffixes[i].factor)
			return true;
	}
	return false;
}

static struct error *parse_condition(const char *text, struct conditions *conditions)
{
	static const char growth[] = "growth>";
	const size_t length = sizeof(growth) - 1;
	if (!strcmp(text, "leak")) {
		conditions->leak = true;
		return NULL;
	}
	if (!strncmp(text, growth, length) &&
	    parse_size(text + length, &conditions->most_growth)) {
		conditions->growth = true;
		return NULL;
	}
	return error_remedy(error_create(ERROR_USAGE, "no condition is called \"%s\"",
					 text),
			    "--fail-on leak, or --fail-on 'growth>20M'");
}

static struct error *parse_conditions(const struct run_arguments *arguments,
				      struct conditions *conditions)
{
	struct error *error = NULL;
	for (size_t i = 0; !error && arguments->fail_on.items[i]; i++)
		error = parse_condition(arguments->fail_on.items[i], conditions);
	if (!conditions->growth && !conditions->leak)
		conditions->leak = arguments->error_exitcode;
	conditions->any = conditions->leak || conditions->growth;
	return error;
}

enum outcome { HOLDS_NOT, HOLDS, HOLDS_UNKNOWN };

static enum outcome judge_leaks(const struct run_report *report)
{
	if (!report->leaks)
		return HOLDS_UNKNOWN;
	if (leaks_report_has_leaks(report->leaks))
		return HOLDS;
	return report->leaks->coverage_percent >= REPORT_FULL_COVERAGE_PERCENT
		       ? HOLDS_NOT
		       : HOLDS_UNKNOWN;
}

static enum outcome judge(const struct conditions *conditions,
			  const struct run_report *report)
{
	enum outcome outcome = HOLDS_NOT;
	if (conditions->growth && report->growth_bytes > (int64_t)conditions->most_growth)
		return HOLDS;
	if (conditions->leak)
		outcome = judge_leaks(report);
	return outcome;
}

/* --- what was asked for ------------------------------------------------------------- */

static struct error *check_arguments(const struct run_arguments *arguments,
				     const struct operands *operands)
{
	const char *const files[] = { arguments->output, arguments->junit,
				      arguments->sarif, arguments->snapshot };
	struct error *error = program_check("run", operands);
	if (!error && arguments->json && !arguments->output)
		error = error_remedy(error_create(ERROR_USAGE,
						  "--json needs a file, since stdout and "
						  "stderr belong to the command"),
				     "add -o run.json");
	if (!error && arguments->error_exitcode > 255)
		error = error_create(ERROR_USAGE,
				     "--error-exitcode %u is no exit "
				     "status: 1 to 255",
				     arguments->error_exitcode);
	for (size_t i = 0; !error && i < ARRAY_SIZE(files); i++)
		error = files[i] ? output_check(files[i]) : NULL;
	return error;
}

/* Whether a form is asked for that has all findings. */
static bool is_for_programs(const struct run_arguments *arguments)
{
	return arguments->json || arguments->junit || arguments->sarif;
}

/* --- the answer --------------------------------------------------------------------- */

static struct error *write_as(const char *renderer, const char *path,
			      const struct run_report *report,
			      const struct report_options *style)
{
	struct str text = report_renderer(renderer)->run(report, style);
	return output_put(path, stderr, &text);
}

static struct error *tell(const struct run_arguments *arguments,
			  const struct operands *operands,
			  const struct run_report *report)
{
	struct str again = { 0 };
	for (size_t i = 0; i < operands->nr; i++) {
		str_puts(&again, i ? " " : "");
		quote_for_shell(&again, operands->items[i]);
	}
	struct report_options style = output_style(arguments->output, stderr);
	style.again = str_text(&again);
	style.flags |= REPORT_ENDED | (arguments->verbose ? REPORT_VERBOSE : 0) |
		       (arguments->choice.gen_suppressions ? REPORT_RULES : 0);
	struct error *error = write_as(arguments->json ? "json" : "text",
				       arguments->output, report, &style);
	if (!error && arguments->junit)
		error = write_as("junit", arguments->junit, report, &style);
	if (!error && arguments->sarif)
		error = write_as("sarif", arguments->sarif, report, &style);
	str_deinit(&again);
	return error;
}

static int status_of(const struct run_arguments *arguments,
		     const struct conditions *conditions, const struct run_report *report)
{
	enum outcome outcome = judge(conditions, report);
	if (outcome == HOLDS)
		return arguments->error_exitcode ? (int)arguments->error_exitcode
						 : FAILED;
	if (outcome == HOLDS_UNKNOWN)
		return STATUS_UNABLE;
	return program_exit_status(report->command_status);
}

static int run_and_tell(const struct run_arguments *arguments,
			const struct operands *operands)
{
	struct conditions conditions = { 0 };
	struct run_report *report = NULL;
	int code = 0;
	const struct seep_run_options request = {
		.size = sizeof(request),
		.command = operands->items,
		.flags = arguments->on_full |
			 (arguments->choice.strict ? SEEP_RUN_STRICT : 0u),
		.kinds = arguments->choice.kinds,
		.excludes = arguments->choice.excludes.items,
		.suppressions = arguments->choice.suppressions.items,
		.snapshot = arguments->snapshot,
		.baseline = arguments->baseline,
		.max_findings = leak_choice_listed(&arguments->choice,
						   is_for_programs(arguments)),
		.max_examples = arguments->choice.examples,
		.max_frames = arguments->max_frames,
		.start_code = &code,
		.on_start = program_take_signals,
	};
	struct error *error = check_arguments(arguments, operands);
	if (!error)
		error = parse_conditions(arguments, &conditions);
	if (!error)
		error = seep_run(&request, &report);
	if (error) {
		int status = (int)output_complain(error);
		return code ? code : status;
	}
	error = tell(arguments, operands, report);
	int status = status_of(arguments, &conditions, report);
	if (error)
		output_complain(error);
	seep_run_report_destroy(report);
	return status;
}

static enum exit_status run(char **argv)
{
	struct run_arguments arguments = { .choice = LEAK_CHOICE_INIT };
	struct operands operands;
	enum exit_status status;
	if (command_begin(&run_command, argv, &arguments, &operands, &status)) {
		if (leak_choice_complete(&arguments.choice) &&
		    text_vec_push(&arguments.fail_on, NULL))
			status = (enum exit_status)run_and_tell(&arguments, &operands);
		else
			status = output_complain(error_no_memory());
	}
	leak_choice_deinit(&arguments.choice);
	text_vec_deinit(&arguments.fail_on);
	return status;
}

const struct command run_command = { &syntax, run };
