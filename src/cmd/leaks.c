/*
 * The command `seep leaks`: one look for lost memory, in a running process or at the end of
 * a command that it starts.
 */
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>

#include "base/quote.h"
#include "cmd/command.h"
#include "cmd/freeze.h"
#include "cmd/output.h"
#include "cmd/process.h"
#include "cmd/watch.h"
#include "model/leaks.h"
#include "report/report.h"
#include "seep/leaks.h"

#define LISTED_IN_TEXT 20
#define ALL_FINDINGS   0        /* seep_leaks_options' word for it */
#define UNSAID         UINT_MAX /* an option that was not given */

struct leaks_arguments {
	unsigned kinds, group_by, freeze, max_pause_ms, max_findings, examples;
	unsigned interval_ms, count;
	uint64_t max_copy_bytes;
	bool strict, json, at_exit, verbose, gen_suppressions;
	const char *output, *sysroot, *diff_from;
	struct text_vec excludes, suppressions;
};

static const struct option_word kinds[] = {
	{ "definite", SEEP_KIND_DEFINITE, "nothing points at the block" },
	{ "indirect", SEEP_KIND_INDIRECT, "only lost blocks point at it" },
	{ "possible", SEEP_KIND_POSSIBLE, "only doubtful pointers lead to it" },
	{ "reachable", SEEP_KIND_REACHABLE, "the program can still get at it" },
	{ "all",
	  SEEP_KIND_DEFINITE | SEEP_KIND_INDIRECT | SEEP_KIND_POSSIBLE |
		  SEEP_KIND_REACHABLE,
	  "every kind" },
	{ 0 },
};

static const struct option_word groups[] = {
	{ "cause", SEEP_GROUP_BY_CAUSE, "what is lost in the same way (the default)" },
	{ "type", SEEP_GROUP_BY_TYPE, "C++ class, or size and nature of the contents" },
	{ "size", SEEP_GROUP_BY_SIZE, "the class of their size, whatever they are" },
	{ "root", SEEP_GROUP_BY_ROOT,
	  "the variable, stack or register that leads to it" },
	{ 0 },
};

static const struct option_word all_findings[] = { { "all", ALL_FINDINGS, NULL }, { 0 } };

#define FIELD(name) offsetof(struct leaks_arguments, name)

static const struct option options[] = {
	{ .name = "at-exit",
	  .kind = OPTION_FLAG,
	  .field = FIELD(at_exit),
	  .help = "start the command after \"--\" and look at the moment it ends" },
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
	{ .name = "group-by",
	  .kind = OPTION_WORD,
	  .field = FIELD(group_by),
	  .argument = "WHAT",
	  .words = groups,
	  .help = "what blocks of one finding have in common" },
	{ .name = "exclude",
	  .kind = OPTION_TEXTS,
	  .field = FIELD(excludes),
	  .argument = "PATTERN",
	  .help = "suppress leaks whose type matches, with * and ? as in file names; may "
		  "be repeated" },
	{ .name = "sysroot",
	  .kind = OPTION_FILE,
	  .field = FIELD(sysroot),
	  .argument = "DIR",
	  .help = "look for the programs and libraries of a core below this folder first" },
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
	{ .name = "diff-from",
	  .kind = OPTION_FILE,
	  .field = FIELD(diff_from),
	  .argument = "FILE",
	  .help = "list what is new or has grown since a snapshot was taken" },
	{ .name = "interval",
	  .kind = OPTION_INTERVAL,
	  .field = FIELD(interval_ms),
	  .argument = "TIME",
	  .help = "look again and again, so far apart (10, 500ms, 5m), and list what is new "
		  "each time, until the process ends; in JSON a line for each look" },
	{ .name = "count",
	  .kind = OPTION_COUNT,
	  .field = FIELD(count),
	  .argument = "N",
	  .help = "with --interval, look so often and end" },
	{ .name = "json",
	  .kind = OPTION_FLAG,
	  .field = FIELD(json),
	  .help = "report in JSON, schema seep.leaks/1" },
	{ .name = "output",
	  .letter = 'o',
	  .kind = OPTION_FILE,
	  .field = FIELD(output),
	  .argument = "FILE",
	  .help = "write the report to a file, which appears when it is complete" },
	{ .name = "freeze",
	  .kind = OPTION_WORD,
	  .field = FIELD(freeze),
	  .argument = "HOW",
	  .words = freeze_words,
	  .help = "how to hold the process still" },
	{ .name = "max-copy",
	  .kind = OPTION_SIZE,
	  .field = FIELD(max_copy_bytes),
	  .argument = "SIZE",
	  .help = "drop the copy before it needs more memory of its own than this: 500M, "
		  "2G; unless said, what is free around the process decides" },
	{ .name = "max-pause",
	  .kind = OPTION_DURATION,
	  .field = FIELD(max_pause_ms),
	  .argument = "TIME",
	  .help = "stop the process no longer than this, and give up rather than exceed it: "
		  "500, 500ms, 2s; 200 ms unless said" },
	{ .name = "max-findings",
	  .kind = OPTION_COUNT,
	  .field = FIELD(max_findings),
	  .argument = "N",
	  .words = all_findings,
	  .help = "list so many, biggest first, or \"all\"; unless said 20 in text, and all "
		  "in JSON or for --gen-suppressions" },
	{ .name = "examples",
	  .kind = OPTION_COUNT,
	  .field = FIELD(examples),
	  .argument = "N",
	  .help = "addresses to show of each finding; 3 unless said" },
	{ .name = "verbose",
	  .letter = 'v',
	  .kind = OPTION_FLAG,
	  .field = FIELD(verbose),
	  .help = "also show fingerprints, all warnings, and how much was looked at" },
	{ 0 },
};

static const char *const usage[] = {
	"leaks [OPTION]... PID|NAME|FILE",
	"leaks --at-exit [OPTION]... -- COMMAND [ARGUMENT]...",
	NULL,
};

static const struct example examples[] = {
	{ "leaks 412", "what process 412 has lost by now" },
	{ "leaks redis-server", "the same, by the process's name" },
	{ "leaks core.412", "what the process had lost whose core this is" },
	{ "leaks --at-exit -- ./server --test",
	  "run a program and look when it ends; its input and output stay its own" },
	{ "leaks --json -o leaks.json 412", "the whole report for a script" },
	{ "leaks --kinds reachable --group-by type 412",
	  "no leak, but what grows? What is still held, by type" },
	{ "leaks --diff-from monday.seep 412", "what has it lost since the snapshot?" },
	{ "leaks --interval 5m redis-server", "what does it lose while it works?" },
	{ "leaks --strict --exclude 'class Cache*' 412",
	  "as strict as Memcheck, without a known offender" },
	{ "leaks --gen-suppressions -o known.supp 412", "what is known from now on" },
	{ "leaks --suppressions known.supp 412", "only what is new since then" },
	{ 0 },
};

static const struct exit_code exit_codes[] = {
	{ STATUS_FINE, "no leaks, and at least 99 % of the heap was read" },
	{ STATUS_FINDINGS,
	  "leaks: blocks definitely or possibly lost and not suppressed; with --diff-from, "
	  "only new ones" },
	{ STATUS_USAGE,
	  "the command line is wrong, or several processes have that name" },
	{ STATUS_UNABLE,
	  "the process or core could not be inspected, or less than 99 % of its heap "
	  "was read and no leaks were found there" },
	{ 0 },
};

static const struct syntax syntax = {
	.name = "leaks",
	.summary = "find memory that a running process has lost",
	.usage = usage,
	.about =
		"Looks from outside into a process that nobody prepared: stops it for some "
		"milliseconds, reads the heap by the allocator's own records, lets it go on, "
		"and names the blocks that no pointer leads to any more. A core file that the "
		"kernel, gdb or seep wrote is looked at in the same way.\n\n"
		"The report begins with the verdict. \"retained\" is what a leak costs in all: "
		"its own blocks and those that only they hold. Sizes in text count in "
		"thousands (1 kB is 1000 bytes); JSON has exact bytes.",
	.options = options,
	.operand = OPERAND_TARGET,
	.examples = examples,
	.exit_codes = exit_codes,
};

/* --- what was asked for ------------------------------------------------------------- */

static struct error *sysroot_without_core(void)
{
	return error_remedy(error_create(ERROR_USAGE,
					 "--sysroot is for core files; a process says "
					 "itself where its files are"),
			    "leave --sysroot out");
}

static struct error *check_command(const struct leaks_arguments *arguments,
				   const struct operands *operands)
{
	if (operands->nr_before)
		return error_remedy(
			error_create(ERROR_USAGE,
				     "--at-exit takes a command, not the target "
				     "\"%s\"",
				     operands->items[0]),
			"put \"--\" before the command: seep leaks --at-exit -- "
			"%s",
			operands->items[0]);
	if (arguments->sysroot)
		return sysroot_without_core();
	if (!operands->nr)
		return error_remedy(error_create(ERROR_USAGE,
						 "--at-exit needs a command"),
				    "seep leaks --at-exit -- COMMAND");
	if (arguments->json && !arguments->output)
		return error_remedy(
			error_create(ERROR_USAGE,
				     "--json with --at-exit needs a file, since "
				     "stdout and stderr belong to the command"),
			"add -o leaks.json");
	return NULL;
}

static struct error *check_target(const struct operands *operands)
{
	if (operands->has_separator && operands->nr > operands->nr_before)
		return error_remedy(
			error_create(ERROR_USAGE,
				     "a command after \"--\" needs --at-exit"),
			"seep leaks --at-exit -- %s",
			operands->items[operands->nr_before]);
	if (!operands->nr)
		return error_remedy(
			error_create(
				ERROR_USAGE,
				"seep leaks needs a process or a core: a pid, a name or a file"),
			"seep leaks --help");
	if (operands->nr > 1)
		return error_remedy(
			error_create(ERROR_USAGE,
				     "seep leaks looks at one process at a time, "
				     "not also at \"%s\"",
				     operands->items[1]),
			"seep leaks %s", operands->items[0]);
	return NULL;
}

/* Blocks that one root holds may be of any type: no fingerprint stands for them. */
static struct error *check_rules(const struct leaks_arguments *arguments)
{
	if (!arguments->gen_suppressions || arguments->group_by != SEEP_GROUP_BY_ROOT)
		return NULL;
	return error_remedy(error_create(ERROR_USAGE, "--gen-suppressions cannot tell "
						      "findings by their root again"),
			    "leave out --group-by root");
}

static struct error *check_interval(const struct leaks_arguments *arguments)
{
	if (arguments->count && !arguments->interval_ms)
		return error_remedy(error_create(ERROR_USAGE,
						 "--count goes with --interval"),
				    "add --interval 10");
	if (!arguments->interval_ms)
		return NULL;
	if (arguments->at_exit)
		return error_create(
			ERROR_USAGE,
			"--interval looks at a process that runs, --at-exit at "
			"one that ends: give one of them");
	if (arguments->gen_suppressions)
		return error_create(ERROR_USAGE,
				    "--gen-suppressions makes a file of one look, not of "
				    "many: leave out --interval");
	if (arguments->output)
		return error_remedy(
			error_create(ERROR_USAGE,
				     "--interval writes to stdout as it goes, "
				     "not to a file at its end"),
			"redirect it: > %s", arguments->output);
	return NULL;
}

static struct error *check_arguments(const struct leaks_arguments *arguments,
				     const struct operands *operands)
{
	struct error *error = arguments->at_exit ? check_command(arguments, operands)
						 : check_target(operands);
	if (!error)
		error = check_rules(arguments);
	if (!error)
		error = check_interval(arguments);
	if (!error && arguments->output)
		error = output_check(arguments->output);
	return error;
}

static unsigned findings_listed(const struct leaks_arguments *arguments)
{
	if (arguments->max_findings != UNSAID)
		return arguments->max_findings;
	return arguments->json || arguments->gen_suppressions ? ALL_FINDINGS
							      : LISTED_IN_TEXT;
}

/* --- the look ----------------------------------------------------------------------- */

static void ignore_signal(int signal)
{
	(void)signal;
}

/*
 * Ctrl-C is meant for the command, which seep outlives to report on it. A handler, unlike
 * SIG_IGN, is not inherited by the command.
 */
static void leave_signals_to_command(void)
{
	static const int signals[] = { SIGINT, SIGQUIT };
	struct sigaction action = { .sa_handler = ignore_signal, .sa_flags = SA_RESTART };
	for (size_t i = 0; i < ARRAY_SIZE(signals); i++)
		sigaction(signals[i], &action, NULL);
}

/* A process, or a file that holds the memory of one. */
static struct error *look_at_target(struct seep_leaks_options *request,
				    const char *target, struct leaks_report **report)
{
	struct error *error = process_or_file(target, &request->pid, &request->file);
	if (!error && request->sysroot && !request->file)
		error = sysroot_without_core();
	if (!error)
		error = seep_leaks(request, report);
	if (error && error->code == ERROR_REFUSED && request->file)
		error = process_namesake(error, request->file);
	return error;
}

static struct seep_leaks_options request_of(const struct leaks_arguments *arguments)
{
	return (struct seep_leaks_options){
		.size = sizeof(struct seep_leaks_options),
		.flags = arguments->strict ? SEEP_LEAKS_STRICT : 0,
		.kinds = arguments->kinds,
		.group_by = (enum seep_group_by)arguments->group_by,
		.excludes = arguments->excludes.items,
		.suppressions = arguments->suppressions.items,
		.max_pause_ms = arguments->max_pause_ms,
		.max_findings = findings_listed(arguments),
		.max_examples = arguments->examples,
		.freeze = (enum seep_freeze)arguments->freeze,
		.max_copy_bytes = arguments->max_copy_bytes,
		.sysroot = arguments->sysroot,
		.diff_from = arguments->diff_from,
	};
}

static struct error *look(const struct leaks_arguments *arguments,
			  const struct operands *operands, int *command_status,
			  struct leaks_report **report)
{
	struct seep_leaks_options request = request_of(arguments);
	if (!arguments->at_exit)
		return look_at_target(&request, operands->items[0], report);
	leave_signals_to_command();
	request.command = operands->items;
	request.command_status = command_status;
	return seep_leaks(&request, report);
}

/* --- the answer --------------------------------------------------------------------- */

/* An option that was given so often; its texts end with NULL. */
static void put_texts(struct str *out, const char *option, const struct text_vec *texts)
{
	for (const char *const *text = texts->items; *text; text++) {
		str_printf(out, "%s ", option);
		quote_for_shell(out, *text);
		str_puts(out, " ");
	}
}

/* The words that make the same look again, for the line "next:". */
static void put_again(struct str *out, const struct leaks_arguments *arguments,
		      const struct operands *operands)
{
	if (arguments->strict)
		str_puts(out, "--strict ");
	put_texts(out, "--exclude", &arguments->excludes);
	put_texts(out, "--suppressions", &arguments->suppressions);
	if (arguments->sysroot) {
		str_puts(out, "--sysroot ");
		quote_for_shell(out, arguments->sysroot);
		str_puts(out, " ");
	}
	if (arguments->diff_from) {
		str_puts(out, "--diff-from ");
		quote_for_shell(out, arguments->diff_from);
		str_puts(out, " ");
	}
	if (arguments->max_pause_ms)
		str_printf(out, "--max-pause %u ", arguments->max_pause_ms);
	str_puts(out, arguments->at_exit ? "--at-exit --" : "");
	for (size_t i = 0; i < operands->nr; i++) {
		str_puts(out, i || arguments->at_exit ? " " : "");
		quote_for_shell(out, operands->items[i]);
	}
}

static struct error *write_report(const struct leaks_arguments *arguments,
				  const struct operands *operands, unsigned flags,
				  const struct leaks_report *report)
{
	FILE *stream = arguments->at_exit ? stderr : stdout;
	struct str again = { 0 };
	put_again(&again, arguments, operands);
	struct report_options style = { .again = str_text(&again) };
	if (!arguments->output) {
		style.width = output_width(stream);
		style.flags = output_flags(stream);
	}
	style.flags |= flags | (arguments->verbose ? REPORT_VERBOSE : 0);
	style.flags |= arguments->at_exit ? REPORT_ENDED : 0;
	style.flags |= arguments->gen_suppressions ? REPORT_RULES : 0;
	struct str text =
		report_renderer(arguments->json ? "json" : "text")->leaks(report, &style);
	struct error *error = output_write(arguments->output, stream, &text);
	str_deinit(&text);
	str_deinit(&again);
	return error;
}

/* The command's own end is told when it was not a good one. */
static void tell_command_status(const char *command, int status)
{
	if (WIFSIGNALED(status))
		fprintf(stderr, "seep: %s was ended by signal %d (%s).\n", command,
			WTERMSIG(status), strsignal(WTERMSIG(status)));
	else if (WIFEXITED(status) && WEXITSTATUS(status))
		fprintf(stderr, "seep: %s ended with status %d.\n", command,
			WEXITSTATUS(status));
}

static enum exit_status judge(const struct leaks_report *report)
{
	if (leaks_report_has_leaks(report))
		return STATUS_FINDINGS;
	if (report->coverage_percent >= REPORT_FULL_COVERAGE_PERCENT)
		return STATUS_FINE;
	return STATUS_UNABLE;
}

static enum exit_status tell(const struct leaks_arguments *arguments,
			     const struct operands *operands, int command_status,
			     const struct leaks_report *report)
{
	if (command_status != -1)
		tell_command_status(operands->items[0], command_status);
	struct error *error = write_report(arguments, operands, 0, report);
	return error ? output_complain(error) : judge(report);
}

static enum exit_status look_and_tell(const struct leaks_arguments *arguments,
				      const struct operands *operands)
{
	struct leaks_report *report = NULL;
	int command_status = -1;
	struct error *error = check_arguments(arguments, operands);
	if (!error)
		error = look(arguments, operands, &command_status, &report);
	if (!report)
		return output_complain(error);
	enum exit_status status = tell(arguments, operands, command_status, report);
	seep_leaks_report_destroy(report);
	return status;
}

/* --- again and again ---------------------------------------------------------------- */

struct rounds {
	const struct leaks_arguments *arguments;
	const struct operands *operands;
	struct seep_leaks_options request;
	struct baseline *baseline; /* what the last look found */
	enum exit_status status;   /* of the looks so far: unable before the first */
};

/* Findings count whenever they came; else the last look does. */
static void judge_round(struct rounds *rounds, const struct leaks_report *report)
{
	enum exit_status status = judge(report);
	if (rounds->status != STATUS_FINDINGS)
		rounds->status = status;
}

/* The first report is whole, and begins with nothing before it. */
static struct error *write_round(const struct rounds *rounds,
				 const struct leaks_report *report)
{
	bool is_json = rounds->arguments->json;
	char clock[32] = "";
	time_t now = time(NULL);
	struct tm local;
	if (!is_json && report->diff && localtime_r(&now, &local))
		strftime(clock, sizeof(clock), "%H:%M:%S ", &local);
	fputs(clock, stdout);
	bool is_brief = is_json || (report->diff && !report->diff->from);
	return write_report(rounds->arguments, rounds->operands,
			    is_brief ? REPORT_BRIEF : 0, report);
}

static struct error *look_once_more(void *context)
{
	struct rounds *rounds = context;
	struct leaks_report *report = NULL;
	struct error *error = seep_leaks(&rounds->request, &report);
	if (error)
		return error;
	error = write_round(rounds, report);
	judge_round(rounds, report);
	seep_leaks_report_destroy(report);
	return error;
}

static struct error *look_repeatedly(struct rounds *rounds)
{
	const struct leaks_arguments *arguments = rounds->arguments;
	const char *target = rounds->operands->items[0];
	struct watch watch = {
		.interval_ms = arguments->interval_ms,
		.count = arguments->count,
		.look = look_once_more,
		.context = rounds,
	};
	enum watch_end end;
	struct error *error = process_find(target, &watch.pid);
	rounds->request = request_of(arguments);
	rounds->request.pid = watch.pid;
	rounds->request.baseline = &rounds->baseline;
	if (!error)
		error = watch_process(&watch, &end);
	if (!error && end == WATCH_ENDED)
		fprintf(stderr, "seep: process %d has ended.\n", (int)watch.pid);
	return error;
}

static enum exit_status watch_and_tell(const struct leaks_arguments *arguments,
				       const struct operands *operands)
{
	struct rounds rounds = {
		.arguments = arguments,
		.operands = operands,
		.status = STATUS_UNABLE,
	};
	struct error *error = check_arguments(arguments, operands);
	if (!error)
		error = look_repeatedly(&rounds);
	seep_leaks_baseline_destroy(rounds.baseline);
	return error ? output_complain(error) : rounds.status;
}

static enum exit_status run(char **argv)
{
	struct leaks_arguments arguments = { .max_findings = UNSAID };
	struct operands operands;
	enum exit_status status;
	if (command_begin(&leaks_command, argv, &arguments, &operands, &status)) {
		if (text_vec_push(&arguments.excludes, NULL) &&
		    text_vec_push(&arguments.suppressions, NULL))
			status = arguments.interval_ms
					 ? watch_and_tell(&arguments, &operands)
					 : look_and_tell(&arguments, &operands);
		else
			status = output_complain(error_no_memory());
	}
	text_vec_deinit(&arguments.excludes);
	text_vec_deinit(&arguments.suppressions);
	return status;
}

const struct command leaks_command = { &syntax, run };
