/* The command `seep query`: asks the blocks, pointers and roots of a heap in SQL. */
#include <signal.h>
#include <string.h>

#include "cmd/command.h"
#include "cmd/heap_rows.h"
#include "cmd/output.h"
#include "cmd/process.h"
#include "report/query_page.h"
#include "seep/query.h"

/* People are shown so many rows unless they say; programs get all. */
#define DEFAULT_TOP 100
/* So much is gathered before it is written. */
#define WRITE_BYTES (1u << 20)

struct query_arguments {
	bool json, csv, tables, types;
	const char *output, *sysroot, *recording;
	unsigned top, max_pause_ms, freeze;
	uint64_t max_copy_bytes;
};

#define FIELD(name) offsetof(struct query_arguments, name)

static const struct option options[] = {
	{ .name = "tables",
	  .kind = OPTION_FLAG,
	  .field = FIELD(tables),
	  .help = "list the tables and their columns" },
	HEAP_OPTION_TOP(
		struct query_arguments,
		"end after so many rows; unless said 100 for people, all with --csv and "
		"--json"),
	{ .name = "types",
	  .kind = OPTION_FLAG,
	  .field = FIELD(types),
	  .help = "name the types of blocks that debug information tells for certain; takes "
		  "longer" },
	HEAP_OPTION_RECORDING(struct query_arguments),
	{ .name = "csv",
	  .kind = OPTION_FLAG,
	  .field = FIELD(csv),
	  .help = "write comma-separated values" },
	{ .name = "json",
	  .kind = OPTION_FLAG,
	  .field = FIELD(json),
	  .help = "write JSON, schema seep.query/1" },
	OUTPUT_OPTION(FIELD(output), OUTPUT_OF_REPORT),
	HEAP_OPTIONS_LOOK(struct query_arguments),
	{ 0 },
};

static const char *const usage[] = { "query [OPTION]... TARGET SQL", "query --tables",
				     NULL };

static const struct example examples[] = {
	{ "query --tables", "what can be asked?" },
	{ "query 412 'SELECT count(*), sum(size) FROM blocks'", "how much is there?" },
	{ "query 412 'SELECT addr, size, type FROM blocks ORDER BY retained DESC LIMIT 5'",
	  "which blocks keep the most alive?" },
	{ "query --csv monday.seep 'SELECT * FROM types'",
	  "a snapshot, for spreadsheets" },
	{ "query --json 412 'SELECT * FROM edges WHERE dst = 0x55d0c0a82b0'",
	  "what points there, for programs?" },
	{ 0 },
};

static const struct exit_code exit_codes[] = {
	{ STATUS_FINE, "the question was answered" },
	{ STATUS_USAGE, "the command line or the SQL is wrong" },
	{ STATUS_UNABLE, "the target could not be looked into" },
	{ 0 },
};

static const struct syntax syntax = {
	.name = "query",
	.summary = "ask the heap of a process in SQL",
	.usage = usage,
	.about =
		"Looks into a process, a core or a snapshot as seep heap does, and answers "
		"one question in SQLite's SQL over the tables blocks, edges, roots, types, "
		"sites, regions and dominators. It only reads.",
	.options = options,
	.operand = OPERAND_TARGET,
	.examples = examples,
	.exit_codes = exit_codes,
};

/* --- the tables ------------------------------------------------------------------------- */

static struct error *tell_tables(const struct query_arguments *arguments)
{
	struct str text = { 0 };
	struct query_words words;
	for (size_t i = 0; seep_query_table(i, &words); i++) {
		query_page_tables(&text, &words);
		for (size_t k = 0; seep_query_column(i, k, &words); k++)
			query_page_column(&text, &words);
	}
	if (!text.length)
		return error_remedy(
			error_create(ERROR_REFUSED,
				     "this seep was built without SQLite, and has "
				     "no tables"),
			"install libsqlite3-dev, and build seep again");
	return output_put(arguments->output, stdout, &text);
}

/* --- the answer ------------------------------------------------------------------------- */

struct telling {
	struct query_sink sink; /* first */
	const struct query_arguments *arguments;
	struct query_page page;
	struct output output;
};

/* What is laid out for people is gathered first. */
#define CELLS_MOST 10000000u

static volatile sig_atomic_t was_interrupted;

static void note_interrupt(int signal)
{
	(void)signal;
	was_interrupted = 1;
}

/* From when the process runs on: before that the signal ends seep, and the kernel lets the process
   go. A second one ends seep in any case. */
static void heed_interrupt(void)
{
	struct sigaction before,
		action = { .sa_handler = note_interrupt, .sa_flags = (int)SA_RESETHAND };
	if (!sigaction(SIGINT, NULL, &before) && before.sa_handler != SIG_IGN)
		sigaction(SIGINT, &action, NULL);
}

static bool is_stopped(struct query_sink *sink)
{
	(void)sink;
	return was_interrupted;
}

static struct error *begin(struct query_sink *sink, const struct query_report *report)
{
	struct telling *telling = (struct telling *)sink;
	struct error *error =
		output_open(telling->arguments->output, stdout, &telling->output);
	if (!error)
		telling->page.form->begin(&telling->page, report);
	heed_interrupt();
	return error;
}

static struct error *too_many_cells(void)
{
	return error_remedy(
		error_create(
			ERROR_REFUSED,
			"so many rows are too many for a table: its columns are laid "
			"out when all are there"),
		"write them as they come, with --csv or --json, or ask for fewer with --top");
}

static struct error *row(struct query_sink *sink, const struct query_report *report,
			 const struct query_value *values)
{
	struct telling *telling = (struct telling *)sink;
	telling->page.form->row(&telling->page, report, values);
	if (telling->page.out.failed)
		return error_no_memory();
	if (telling->page.cells.nr > CELLS_MOST)
		return too_many_cells();
	return telling->page.out.length < WRITE_BYTES
		       ? NULL
		       : output_add(&telling->output, &telling->page.out);
}

static struct error *end(struct telling *telling, const struct query_report *report)
{
	telling->page.form->end(&telling->page, report);
	struct error *error = output_add(&telling->output, &telling->page.out);
	return error ? error : output_close(&telling->output);
}

/* What CSV has no place for. */
static void warn(const struct query_report *report)
{
	for (char **warning = report->warnings; warning && *warning; warning++)
		output_complain(error_create(ERROR_SYSTEM, "%s", *warning));
}

static unsigned max_rows(const struct query_arguments *arguments)
{
	if (arguments->top == UINT32_MAX)
		return 0;
	if (arguments->top)
		return arguments->top;
	return arguments->csv || arguments->json ? 0 : DEFAULT_TOP;
}

static struct error *check(const struct query_arguments *arguments,
			   const struct operands *operands)
{
	char *const *items = operands->items;
	if (arguments->json && arguments->csv)
		return error_create(ERROR_USAGE,
				    "seep query writes either --csv or --json");
	if (!operands->nr)
		return process_require("query", operands);
	if (operands->nr == 1)
		return error_remedy(error_create(ERROR_USAGE,
						 "seep query needs SQL after %s",
						 items[0]),
				    "seep query %s 'SELECT count(*) FROM blocks', and "
				    "seep query --tables tells what there is",
				    items[0]);
	if (operands->nr > 2)
		return error_remedy(error_create(ERROR_USAGE,
						 "seep query takes one piece of SQL, not "
						 "also \"%s\"",
						 items[2]),
				    "put the SQL in quotes");
	return arguments->output ? output_check(arguments->output) : NULL;
}

static struct error *ask(const struct query_arguments *arguments,
			 const struct operands *operands, struct telling *telling)
{
	struct seep_query_options request = {
		.size = sizeof(request),
		.sysroot = arguments->sysroot,
		.recording = arguments->recording,
		.flags = arguments->types ? SEEP_QUERY_TYPES : 0,
		.sql = operands->items[1],
		.max_rows = max_rows(arguments),
		.max_pause_ms = arguments->max_pause_ms,
		.freeze = arguments->freeze,
		.max_copy_bytes = arguments->max_copy_bytes,
	};
	struct query_report *report = NULL;
	struct error *error =
		process_or_file(operands->items[0], &request.pid, &request.file);
	if (!error)
		error = seep_query(&request, &telling->sink, &report);
	if (!error)
		error = end(telling, report);
	if (!error && arguments->csv)
		warn(report);
	seep_query_report_destroy(report);
	return error;
}

static struct error *answer(const struct query_arguments *arguments,
			    const struct operands *operands)
{
	struct error *error = check(arguments, operands);
	if (error)
		return error;
	struct telling telling = {
		.sink = { begin, row, is_stopped },
		.arguments = arguments,
		.output = { .file.fd = -1, .special = -1 },
	};
	struct report_options style = output_style(arguments->output, stdout);
	query_page_init(&telling.page,
			arguments->json  ? "json"
			: arguments->csv ? "csv"
					 : "text",
			&style);
	error = ask(arguments, operands, &telling);
	output_drop(&telling.output);
	query_page_deinit(&telling.page);
	return error;
}

static enum exit_status run(char **argv)
{
	struct query_arguments arguments = { 0 };
	struct operands operands;
	enum exit_status status;
	if (!command_begin(&query_command, argv, &arguments, &operands, &status))
		return status;
	struct error *error = arguments.tables ? tell_tables(&arguments)
					       : answer(&arguments, &operands);
	status = error ? output_complain(error) : STATUS_FINE;
	/* Who started it is to see that it ended by the signal. */
	if (error && was_interrupted)
		raise(SIGINT);
	return status;
}

const struct command query_command = { &syntax, run };
