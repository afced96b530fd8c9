/* leaks_arguments: the options of `seep leaks`, and which of them go together. */
#include "cmd/leaks_priv.h"

#include "cmd/freeze.h"
#include "cmd/heap_rows.h"
#include "cmd/output.h"
#include "cmd/process.h"

static const struct option_word kinds[] =
	LEAK_KIND_WORDS("the program can still get at it");

static const struct option_word groups[] = {
	{ "cause", SEEP_GROUP_BY_CAUSE, "what is lost in the same way (the default)" },
	{ "type", SEEP_GROUP_BY_TYPE, "C++ class, or size and nature of the contents" },
	{ "size", SEEP_GROUP_BY_SIZE, "the class of their size, whatever they are" },
	{ "root", SEEP_GROUP_BY_ROOT,
	  "the variable, stack or register that leads to it" },
	{ 0 },
};

#define FIELD(name) offsetof(struct leaks_arguments, name)

static const struct option options[] = {
	{ .name = "at-exit",
	  .kind = OPTION_FLAG,
	  .field = FIELD(at_exit),
	  .help = "start the command after \"--\" and look at the moment it ends" },
	LEAK_OPTION_KINDS(FIELD(choice), kinds),
	LEAK_OPTION_STRICT(FIELD(choice)),
	{ .name = "group-by",
	  .kind = OPTION_WORD,
	  .field = FIELD(group_by),
	  .argument = "WHAT",
	  .words = groups,
	  .help = "what blocks of one finding have in common" },
	{ .name = "types",
	  .kind = OPTION_FLAG,
	  .field = FIELD(types),
	  .help = "name the types of blocks that debug information tells for certain, and "
		  "say of how many they are known; takes longer" },
	HEAP_OPTION_RECORDING(struct leaks_arguments),
	LEAK_OPTION_EXCLUDE(FIELD(choice)),
	{ .name = "sysroot",
	  .kind = OPTION_FILE,
	  .field = FIELD(sysroot),
	  .argument = "DIR",
	  .help = "look for the programs and libraries of a core below this folder first" },
	LEAK_OPTION_SUPPRESSIONS(FIELD(choice)),
	LEAK_OPTION_GEN_SUPPRESSIONS(FIELD(choice)),
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
	OUTPUT_OPTION(FIELD(output), OUTPUT_OF_REPORT),
	FREEZE_OPTION_HOW(FIELD(freeze)),
	FREEZE_OPTION_MAX_COPY(FIELD(max_copy_bytes)),
	FREEZE_OPTION_MAX_PAUSE(FIELD(max_pause_ms)),
	LEAK_OPTION_MAX_FINDINGS(
		FIELD(choice),
		"list so many, biggest first, or \"all\"; unless said 20 in text, and all "
		"in JSON or for --gen-suppressions"),
	LEAK_OPTION_EXAMPLES(FIELD(choice)),
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
	{ "leaks --types --kinds reachable --group-by type 412",
	  "the same, with C structs and containers named by debug information" },
	{ "leaks --recording 412.trace 412", "and which stacks allocated it?" },
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

const struct syntax leaks_syntax = {
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

struct error *leaks_sysroot_unwanted(void)
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
		return leaks_sysroot_unwanted();
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
		return error_remedy(process_limit("leaks", operands), "seep leaks %s",
				    operands->items[0]);
	return NULL;
}

/* Blocks that one root holds may be of any type: no fingerprint stands for them. */
static struct error *check_rules(const struct leaks_arguments *arguments)
{
	if (!arguments->choice.gen_suppressions ||
	    arguments->group_by != SEEP_GROUP_BY_ROOT)
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
	if (arguments->choice.gen_suppressions)
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

static struct error *check_recording(const struct leaks_arguments *arguments)
{
	if (!arguments->recording)
		return NULL;
	if (arguments->at_exit)
		return error_remedy(
			error_create(ERROR_USAGE,
				     "--recording is of a process that is being "
				     "recorded, --at-exit starts one"),
			"seep run -- COMMAND tells which stacks leak");
	if (arguments->diff_from)
		return error_remedy(error_create(ERROR_USAGE,
						 "--recording and --diff-from do not go "
						 "together: the snapshot's leaks are not "
						 "known by their stacks"),
				    "leave out one of them, or use --interval");
	return NULL;
}

struct error *leaks_check(const struct leaks_arguments *arguments,
			  const struct operands *operands)
{
	struct error *error = arguments->at_exit ? check_command(arguments, operands)
						 : check_target(operands);
	if (!error)
		error = check_rules(arguments);
	if (!error)
		error = check_interval(arguments);
	if (!error)
		error = check_recording(arguments);
	if (!error && arguments->output)
		error = output_check(arguments->output);
	return error;
}

struct seep_leaks_options leaks_request(const struct leaks_arguments *arguments)
{
	return (struct seep_leaks_options){
		.size = sizeof(struct seep_leaks_options),
		.flags = (arguments->choice.strict ? SEEP_LEAKS_STRICT : 0) |
			 (arguments->types ? SEEP_LEAKS_TYPES : 0),
		.kinds = arguments->choice.kinds,
		.group_by = (enum seep_group_by)arguments->group_by,
		.excludes = arguments->choice.excludes.items,
		.suppressions = arguments->choice.suppressions.items,
		.max_pause_ms = arguments->max_pause_ms,
		.max_findings = leak_choice_listed(&arguments->choice, arguments->json),
		.max_examples = arguments->choice.examples,
		.freeze = (enum seep_freeze)arguments->freeze,
		.max_copy_bytes = arguments->max_copy_bytes,
		.sysroot = arguments->sysroot,
		.diff_from = arguments->diff_from,
		.recording = arguments->recording,
	};
}
