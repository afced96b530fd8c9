/* The command `seep run`: a program's leaks at its end, with the call stacks that made them. */
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "base/quote.h"
#include "cmd/command.h"
#include "cmd/output.h"
#include "cmd/program.h"
#include "model/run.h"
#include "report/report.h"
#include "seep/leaks.h"
#include "seep/run.h"

#define LISTED_IN_TEXT 20
#define ALL_FINDINGS   0        /* seep_run_options' word for it */
#define UNSAID         UINT_MAX /* an option that was not given */
#define FAILED         1        /* when a condition holds and no status is given */

struct run_arguments {
	unsigned kinds, max_findings, examples, max_frames, on_full, error_exitcode;
	bool strict, json, verbose, gen_suppressions;
	const char *output, *baseline, *junit, *sarif;
	struct text_vec excludes, suppressions, fail_on;
};

#define FIELD(name) offsetof(struct run_arguments, name)

static const struct option_word kinds[] = {
	{ "definite", SEEP_KIND_DEFINITE, "nothing points at the block" },
	{ "indirect", SEEP_KIND_INDIRECT, "only lost blocks point at it" },
	{ "possible", SEEP_KIND_POSSIBLE, "only doubtful pointers lead to it" },
	{ "reachable", SEEP_KIND_REACHABLE, "the program could still get at it" },
	{ "all",
	  SEEP_KIND_DEFINITE | SEEP_KIND_INDIRECT | SEEP_KIND_POSSIBLE |
		  SEEP_KIND_REACHABLE,
	  "every kind" },
	{ 0 },
};

static const struct option_word all_findings[] = { { "all", ALL_FINDINGS, NULL }, { 0 } };

static const struct option_word full_words[] = {
	{ "block", 0, "the program waits until seep has caught up (the default)" },
	{ "drop", SEEP_RUN_DROP, "events are dropped and counted" },
	{ 0 },
};

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
	{ .name = "kinds",
	  .kind = OPTION_WORDS,
	  .field = FIELD(kinds),
	  .argument = "LIST",
	  .words = kinds,
	  .help = "kinds to list, joined by commas; definite,possible unless said" },
	{ .name = "strict",
	  .kind = OPTION_FLAG,
	  .field = FIELD(strict),
	  .help = "a pointer into the middle of a block makes it only possibly lost, as in "
		  "Memcheck; unless said, such a block counts as reachable" },
	{ .name = "exclude",
	  .kind = OPTION_TEXTS,
	  .field = FIELD(excludes),
	  .argument = "PATTERN",
	  .help = "suppress leaks whose type matches, with * and ? as in file names; may "
		  "be repeated" },
	{ .name = "suppressions",
	  .kind = OPTION_FILES,
	  .field = FIELD(suppressions),
	  .argument = "FILE",
	  .help = "suppress the leaks that a file names, in seep's own form, Valgrind's or "
		  "LeakSanitizer's; may be repeated" },
	{ .name = "gen-suppressions",
	  .kind = OPTION_FLAG,
	  .field = FIELD(gen_suppressions),
	  .help = "make such a file from what is found: rules after the report, which "
		  "becomes a comment in it" },
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
	{ .name = "output",
	  .letter = 'o',
	  .kind = OPTION_FILE,
	  .field = FIELD(output),
	  .argument = "FILE",
	  .help = "write the report to a file instead of stderr" },
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
	{ .name = "max-findings",
	  .kind = OPTION_COUNT,
	  .field = FIELD(max_findings),
	  .argument = "N",
	  .words = all_findings,
	  .help = "list so many, biggest first, or \"all\"; unless said 20 in text, and all "
		  "in every other form" },
	{ .name = "examples",
	  .kind = OPTION_COUNT,
	  .field = FIELD(examples),
	  .argument = "N",
	  .help = "addresses to show of each finding; 3 unless said" },
	{ .name = "max-frames",
	  .kind = OPTION_COUNT,
	  .field = FIELD(max_frames),
	  .argument = "N",
	  .help = "keep the innermost so many calls of deeper stacks; 256 unless said" },
	{ .name = "on-full",
	  .kind = OPTION_WORD,
	  .field = FIELD(on_full),
	  .argument = "WHAT",
	  .words = full_words,
	  .help = "what happens when the program is faster than seep" },
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
	{ PROGRAM_NOT_EXECUTABLE, "the command could not be executed" },
	{ PROGRAM_NOT_FOUND,
	  "the command was not found; else its own status, and 128 and "
	  "its number for a signal" },
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
		"allocator will do.\n\n"
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
				      arguments->sarif };
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

static unsigned findings_listed(const struct run_arguments *arguments)
{
	bool is_for_programs = arguments->json || arguments->gen_suppressions ||
			       arguments->junit || arguments->sarif;
	if (arguments->max_findings != UNSAID)
		return arguments->max_findings;
	return is_for_programs ? ALL_FINDINGS : LISTED_IN_TEXT;
}

/* --- the answer --------------------------------------------------------------------- */

static struct error *write_as(const char *renderer, const char *path,
			      const struct run_report *report,
			      const struct report_options *style)
{
	struct str text = report_renderer(renderer)->run(report, style);
	struct error *error = output_write(path, stderr, &text);
	str_deinit(&text);
	return error;
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
	struct report_options style = { .again = str_text(&again) };
	if (!arguments->output) {
		style.width = output_width(stderr);
		style.flags = output_flags(stderr);
	}
	style.flags |= REPORT_ENDED | (arguments->verbose ? REPORT_VERBOSE : 0) |
		       (arguments->gen_suppressions ? REPORT_RULES : 0);
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
		.flags = arguments->on_full | (arguments->strict ? SEEP_RUN_STRICT : 0u),
		.kinds = arguments->kinds,
		.excludes = arguments->excludes.items,
		.suppressions = arguments->suppressions.items,
		.baseline = arguments->baseline,
		.max_findings = findings_listed(arguments),
		.max_examples = arguments->examples,
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
	struct run_arguments arguments = { .max_findings = UNSAID };
	struct text_vec *const lists[] = { &arguments.excludes, &arguments.suppressions,
					   &arguments.fail_on };
	struct operands operands;
	enum exit_status status;
	bool good = command_begin(&run_command, argv, &arguments, &operands, &status);
	bool complete = true;
	for (size_t i = 0; good && i < ARRAY_SIZE(lists); i++)
		complete = complete && text_vec_push(lists[i], NULL);
	if (good)
		status = complete ? (enum exit_status)run_and_tell(&arguments, &operands)
				  : output_complain(error_no_memory());
	for (size_t i = 0; i < ARRAY_SIZE(lists); i++)
		text_vec_deinit(lists[i]);
	return status;
}

const struct command run_command = { &syntax, run };
