/* The command `seep diff`: what grew from one trace to another. */
#include "base/quote.h"
#include "cmd/command.h"
#include "cmd/output.h"
#include "cmd/trace_words.h"
#include "report/report.h"
#include "seep/report.h"

struct diff_arguments {
	unsigned group, order, top;
	bool collapse, hide_libs, json, verbose;
	const char *output;
};

#define FIELD(name) offsetof(struct diff_arguments, name)

static const struct option_word group_words[] = {
	{ "site", SEEP_REPORT_BY_SITE, "the call that allocated, with its whole stack" },
	{ "function", SEEP_REPORT_BY_FUNCTION, "the function of that call" },
	{ "module", SEEP_REPORT_BY_MODULE, "the program or library of that function" },
	{ 0 },
};

static const struct option options[] = {
	{ .name = "group-by",
	  .kind = OPTION_WORD,
	  .field = FIELD(group),
	  .argument = "WHAT",
	  .words = group_words,
	  .help = "what a row is; a site unless said" },
	{ .name = "sort",
	  .kind = OPTION_WORD,
	  .field = FIELD(order),
	  .argument = "COLUMN",
	  .words = trace_order_words,
	  .help = "what is compared; persistent bytes unless said" },
	{ .name = "top",
	  .kind = OPTION_COUNT,
	  .field = FIELD(top),
	  .argument = "N",
	  .words = trace_top_words,
	  .help = "list so many rows, those that changed most; 20 unless said" },
	TRACE_OPTION_COLLAPSE(FIELD(collapse)),
	TRACE_OPTION_HIDE_LIBS(FIELD(hide_libs)),
	{ .name = "json",
	  .kind = OPTION_FLAG,
	  .field = FIELD(json),
	  .help = "write JSON, schema seep.diff/1" },
	OUTPUT_OPTION(FIELD(output), "write to a file instead of stdout"),
	TRACE_OPTION_VERBOSE(FIELD(verbose)),
	{ 0 },
};

static const char *const usage[] = { "diff [OPTION]... BEFORE AFTER", NULL };

static const struct example examples[] = {
	{ "diff monday.seep friday.seep", "what is left over now that was not then" },
	{ "diff --sort peak --group-by function old.seep new.seep",
	  "which functions a new build needs more memory for" },
	{ 0 },
};

static const struct exit_code exit_codes[] = {
	{ STATUS_FINE, "the traces were compared" },
	{ STATUS_USAGE, "the command line is wrong" },
	{ STATUS_UNABLE, "a trace is damaged or cannot be read" },
	{ 0 },
};

static const struct syntax syntax = {
	.name = "diff",
	.summary = "tell what grew from one trace to another",
	.usage = usage,
	.about =
		"Compares two traces that seep record wrote, of two runs or builds. Sites are "
		"matched by the names of the functions on their stacks, so that other "
		"addresses and lines make no difference. The most grown come first.",
	.options = options,
	.operand = OPERAND_FILE,
	.examples = examples,
	.exit_codes = exit_codes,
};

static struct error *check_arguments(const struct diff_arguments *arguments,
				     const struct operands *operands)
{
	if (operands->nr != 2)
		return error_remedy(
			error_create(ERROR_USAGE,
				     "seep diff needs two traces: the earlier "
				     "and the later"),
			"seep diff before.seep after.seep");
	return arguments->output ? output_check(arguments->output) : NULL;
}

static struct error *compare(const struct diff_arguments *arguments,
			     const struct operands *operands,
			     struct recording_diff **diff)
{
	struct seep_report_options before = {
		.size = sizeof(before),
		.file = operands->items[0],
		.group = (enum seep_report_group)arguments->group,
		.order = (enum seep_report_order)arguments->order,
		.max_rows = arguments->top,
		.flags = (arguments->collapse ? SEEP_REPORT_COLLAPSE_RECURSION : 0) |
			 (arguments->hide_libs ? SEEP_REPORT_HIDE_LIBS : 0),
	};
	struct seep_report_options after = before;
	after.file = operands->items[1];
	return seep_diff(&before, &after, diff);
}

static struct error *tell(const struct diff_arguments *arguments, const char *path,
			  const struct recording_diff *diff)
{
	struct str file = { 0 };
	quote_for_shell(&file, path);
	struct report_options style = output_style(arguments->output, stdout);
	style.flags |= arguments->verbose ? REPORT_VERBOSE : 0;
	style.again = str_text(&file);
	struct str text = report_renderer(arguments->json ? "json" : "text")
				  ->recording_diff(diff, &style);
	struct error *error = output_put(arguments->output, stdout, &text);
	str_deinit(&file);
	return error;
}

static enum exit_status run(char **argv)
{
	struct diff_arguments arguments = {
		.order = SEEP_REPORT_PERSISTENT,
		.top = TRACE_DEFAULT_TOP,
	};
	struct operands operands;
	enum exit_status status;
	if (!command_begin(&diff_command, argv, &arguments, &operands, &status))
		return status;
	struct recording_diff *diff = NULL;
	struct error *error = check_arguments(&arguments, &operands);
	if (!error)
		error = compare(&arguments, &operands, &diff);
	if (!error)
		error = tell(&arguments, operands.items[1], diff);
	seep_diff_destroy(diff);
	return error ? output_complain(error) : STATUS_FINE;
}

const struct command diff_command = { &syntax, run };
