/* The command `seep report`: what a trace tells. */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/quote.h"
#include "cmd/command.h"
#include "cmd/moment.h"
#include "cmd/output.h"
#include "cmd/trace_words.h"
#include "report/report.h"
#include "seep/report.h"

struct report_arguments {
	unsigned group, order, top;
	bool top_down, bottom_up, collapse, hide_libs, json, csv, verbose;
	const char *at, *from, *address, *output;
	struct text_vec to;
	unsigned thread;
	uint64_t chunk;
};

#define FIELD(name) offsetof(struct report_arguments, name)

static const struct option options[] = {
	{ .name = "group-by",
	  .kind = OPTION_WORD,
	  .field = FIELD(group),
	  .argument = "WHAT",
	  .words = trace_group_words,
	  .help = "what a row is; a site unless said" },
	{ .name = "top-down",
	  .kind = OPTION_FLAG,
	  .field = FIELD(top_down),
	  .help = "the call tree from the start of each thread in" },
	{ .name = "bottom-up",
	  .kind = OPTION_FLAG,
	  .field = FIELD(bottom_up),
	  .help = "the call tree from the functions that allocate out" },
	{ .name = "sort",
	  .kind = OPTION_WORD,
	  .field = FIELD(order),
	  .argument = "COLUMN",
	  .words = trace_order_words,
	  .help = "what rows are sorted by, and what trees and exports weigh; the peak "
		  "unless said" },
	{ .name = "top",
	  .kind = OPTION_COUNT,
	  .field = FIELD(top),
	  .argument = "N",
	  .words = trace_top_words,
	  .help = "list so many rows, in a tree below each; 20 unless said" },
	TRACE_OPTION_COLLAPSE(FIELD(collapse)),
	TRACE_OPTION_HIDE_LIBS(FIELD(hide_libs)),
	{ .name = "at",
	  .kind = OPTION_TEXT,
	  .field = FIELD(at),
	  .argument = "TIME",
	  .help = "what was live at this moment: 12.5, 12.5s, 300ms, or a mark" },
	{ .name = "from",
	  .kind = OPTION_TEXT,
	  .field = FIELD(from),
	  .argument = "TIME",
	  .help = "only count blocks that were allocated from this moment on" },
	{ .name = "to",
	  .kind = OPTION_TEXTS,
	  .field = FIELD(to),
	  .argument = "TIME|FORMAT",
	  .help = "with a time or mark: the end of what counts. With a format: write "
		  "that instead of text: pprof, folded, flamegraph.svg or html" },
	{ .name = "thread",
	  .kind = OPTION_COUNT,
	  .field = FIELD(thread),
	  .argument = "ID",
	  .help = "only count allocations of one thread" },
	{ .name = "chunk",
	  .kind = OPTION_SIZE,
	  .field = FIELD(chunk),
	  .argument = "SIZE",
	  .help = "also list single allocations of this size and more: 50M" },
	{ .name = "address",
	  .kind = OPTION_TEXT,
	  .field = FIELD(address),
	  .argument = "0xADDRESS",
	  .help = "what happened to one address: every block that had it, the last "
		  "--top events of theirs (needs seep record --addresses)" },
	{ .name = "json",
	  .kind = OPTION_FLAG,
	  .field = FIELD(json),
	  .help = "write JSON, schema seep.report/1" },
	{ .name = "csv",
	  .kind = OPTION_FLAG,
	  .field = FIELD(csv),
	  .help = "write the rows as comma-separated values" },
	OUTPUT_OPTION(FIELD(output), "write to a file instead of stdout"),
	TRACE_OPTION_VERBOSE(FIELD(verbose)),
	{ 0 },
};

static const char *const usage[] = { "report [OPTION]... FILE", NULL };

static const struct example examples[] = {
	{ "report trace.seep", "who held the memory when it was most" },
	{ "report --sort persistent --hide-libs trace.seep",
	  "what was live at the end, by lines of the program itself" },
	{ "report --at 12.5 trace.seep", "what was live after 12.5 seconds" },
	{ "report --from warm --to done trace.seep", "what grew between two marks" },
	{ "report --address 0x55d0c0a82b0 trace.seep",
	  "who had this memory, from when to when" },
	{ "report --to html -o trace.html trace.seep", "to look around in a browser" },
	{ 0 },
};

static const struct exit_code exit_codes[] = {
	{ STATUS_FINE, "the report was made; the trace may have been cut off" },
	{ STATUS_USAGE, "the command line is wrong" },
	{ STATUS_UNABLE, "the trace is damaged or cannot be read" },
	{ 0 },
};

static const struct syntax syntax = {
	.name = "report",
	.summary = "tell from a trace who allocated how much, and when",
	.usage = usage,
	.about =
		"Reads a trace that seep record wrote. Of each site, function, module, "
		"thread, size or type it tells how much is persistent (live at the end), transient "
		"(freed or resized before), what that is in total, and how much was live "
		"when the program's memory was at its peak. A block is temporary if it was "
		"freed by the next event of its thread.",
	.options = options,
	.operand = OPERAND_FILE,
	.examples = examples,
	.exit_codes = exit_codes,
};

/* --- formats ------------------------------------------------------------------------ */

static const struct format {
	const char *word;
	unsigned flags; /* of the request */
	bool is_binary;
} formats[] = {
	{ "pprof", SEEP_REPORT_TREE_LINES, true },
	{ "folded", SEEP_REPORT_TREE, false },
	{ "flamegraph.svg", SEEP_REPORT_TREE, false },
	{ "html", SEEP_REPORT_TREE, false },
};

static const struct format *format_named(const char *word)
{
	for (size_t i = 0; i < ARRAY_SIZE(formats); i++)
		if (!strcmp(formats[i].word, word))
			return &formats[i];
	return NULL;
}

/* What --to and its like amount to. */
struct wanted {
	const struct format *format; /* NULL: a report */
	struct seep_report_moment from, to;
	bool has_to;
	uint64_t address; /* if one was given */
};

static struct error *split_to(const struct report_arguments *arguments,
			      struct wanted *wanted)
{
	for (size_t i = 0; i < arguments->to.nr; i++) {
		const char *word = arguments->to.items[i];
		const struct format *format = format_named(word);
		if (format ? wanted->format != NULL : wanted->has_to)
			return error_create(
				ERROR_USAGE,
				"--to has two %s, the second of which is \"%s\"",
				format ? "formats" : "times", word);
		if (format)
			wanted->format = format;
		else
			moment_parse(word, &wanted->to);
		wanted->has_to |= !format;
	}
	if (arguments->at && wanted->has_to)
		return error_create(ERROR_USAGE,
				    "--at and --to are both the end of what counts");
	if (arguments->at)
		moment_parse(arguments->at, &wanted->to);
	if (arguments->from)
		moment_parse(arguments->from, &wanted->from);
	wanted->has_to |= arguments->at != NULL;
	return NULL;
}

static struct error *take_address(const struct report_arguments *arguments,
				  struct wanted *wanted)
{
	const char *text = arguments->address;
	char *end = NULL;
	if (!text)
		return NULL;
	errno = 0;
	if (!strncmp(text, "0x", 2) && isxdigit((unsigned char)text[2]))
		wanted->address = strtoull(text, &end, 16);
	if (end && !*end && !errno)
		return NULL;
	return error_remedy(error_create(ERROR_USAGE, "\"%s\" is no address", text),
			    "--address takes one in hexadecimal: 0x55d0c0a82b0");
}

/* --- arguments ---------------------------------------------------------------------- */

static struct error *check_operands(const struct operands *operands)
{
	if (!operands->nr)
		return error_remedy(error_create(ERROR_USAGE,
						 "seep report needs a trace: a file"),
				    "seep record -o trace.seep -- COMMAND");
	if (operands->nr > 1)
		return error_remedy(
			error_create(ERROR_USAGE,
				     "seep report reads one trace, not also \"%s\"",
				     operands->items[1]),
			"seep diff %s %s", operands->items[0], operands->items[1]);
	return NULL;
}

static struct error *clash(const char *sentence)
{
	return error_remedy(error_create(ERROR_USAGE, "%s", sentence),
			    "leave out all but one of them");
}

static struct error *check_shape(const struct report_arguments *arguments,
				 const struct wanted *wanted)
{
	unsigned nr_shapes = (wanted->format != NULL) + arguments->json + arguments->csv;
	bool is_tree = arguments->top_down || arguments->bottom_up;
	if (nr_shapes > 1)
		return clash("a report is one of --json, --csv and --to FORMAT");
	if (arguments->top_down && arguments->bottom_up)
		return clash("a tree is either --top-down or --bottom-up");
	if (is_tree && arguments->group)
		return clash("a tree is not also --group-by");
	if (arguments->address && (is_tree || arguments->group || wanted->format))
		return clash("--address lists events: they are not grouped, no tree, and "
			     "not for --to FORMAT");
	if (wanted->format && (is_tree || arguments->group))
		return clash("--to FORMAT has every stack: it is not grouped");
	if (wanted->format && wanted->format->is_binary && !arguments->output &&
	    isatty(STDOUT_FILENO))
		return error_remedy(error_create(ERROR_USAGE,
						 "--to %s is not for a terminal",
						 wanted->format->word),
				    "add -o FILE");
	return NULL;
}

static struct error *check_arguments(const struct report_arguments *arguments,
				     const struct operands *operands,
				     struct wanted *wanted)
{
	struct error *error = check_operands(operands);
	if (!error)
		error = split_to(arguments, wanted);
	if (!error)
		error = take_address(arguments, wanted);
	if (!error)
		error = check_shape(arguments, wanted);
	return error || !arguments->output ? error : output_check(arguments->output);
}

static struct error *read_trace(const struct report_arguments *arguments,
				const char *file, const struct wanted *wanted,
				struct recording_report **report)
{
	struct seep_report_options request = {
		.size = sizeof(request),
		.file = file,
		.group = arguments->top_down ? SEEP_REPORT_TOP_DOWN
			 : arguments->bottom_up
				 ? SEEP_REPORT_BOTTOM_UP
				 : (enum seep_report_group)arguments->group,
		.order = (enum seep_report_order)arguments->order,
		.max_rows = arguments->top,
		.from = arguments->from ? &wanted->from : NULL,
		.to = wanted->has_to ? &wanted->to : NULL,
		.thread = arguments->thread,
		.large_bytes = arguments->chunk,
		.address = arguments->address ? &wanted->address : NULL,
		.flags = (arguments->collapse ? SEEP_REPORT_COLLAPSE_RECURSION : 0) |
			 (arguments->hide_libs ? SEEP_REPORT_HIDE_LIBS : 0) |
			 (wanted->format ? wanted->format->flags : 0),
	};
	return seep_report(&request, report);
}

static struct error *tell(const struct report_arguments *arguments, const char *path,
			  const struct wanted *wanted,
			  const struct recording_report *report)
{
	const char *name = wanted->format    ? wanted->format->word
			   : arguments->json ? "json"
			   : arguments->csv  ? "csv"
					     : "text";
	struct str file = { 0 };
	quote_for_shell(&file, path);
	struct report_options style = output_style(arguments->output, stdout);
	style.flags |= arguments->verbose ? REPORT_VERBOSE : 0;
	style.again = str_text(&file);
	struct str text = report_renderer(name)->recording(report, &style);
	struct error *error = output_put(arguments->output, stdout, &text);
	str_deinit(&file);
	return error;
}

static enum exit_status report_on(const struct report_arguments *arguments,
				  const struct operands *operands)
{
	struct recording_report *report = NULL;
	struct wanted wanted = { 0 };
	struct error *error = check_arguments(arguments, operands, &wanted);
	if (!error)
		error = read_trace(arguments, operands->items[0], &wanted, &report);
	if (!error)
		error = tell(arguments, operands->items[0], &wanted, report);
	seep_report_destroy(report);
	return error ? output_complain(error) : STATUS_FINE;
}

static enum exit_status run(char **argv)
{
	struct report_arguments arguments = { .top = TRACE_DEFAULT_TOP };
	struct operands operands;
	enum exit_status status;
	if (command_begin(&report_command, argv, &arguments, &operands, &status))
		status = report_on(&arguments, &operands);
	text_vec_deinit(&arguments.to);
	return status;
}

const struct command report_command = { &syntax, run };
