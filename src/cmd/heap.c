/* The command `seep heap`: who holds the memory, and what it is. */
#include <string.h>

#include "base/quote.h"
#include "cmd/command.h"
#include "cmd/heap_rows.h"
#include "cmd/output.h"
#include "cmd/process.h"
#include "cmd/suggest.h"
#include "report/report.h"
#include "seep/heap.h"

#define DEFAULT_TOP   20
#define DEFAULT_DEPTH 2

struct heap_arguments {
	bool json, exact, types, contents;
	const char *output, *sysroot, *filter, *recording;
	struct text_vec excludes, fields;
	unsigned top, by, to, depth, max_length, max_pause_ms, freeze;
	uint64_t max_copy_bytes;
};

#define FIELD(name) offsetof(struct heap_arguments, name)

static const struct option_word by_words[] = {
	{ "type", SEEP_HEAP_BY_TYPE, "class, or looks and size (the default)" },
	{ "size", SEEP_HEAP_BY_SIZE, "size class" },
	{ "site", SEEP_HEAP_BY_SITE, "call stack that allocated it, where recorded" },
	{ "root", SEEP_HEAP_BY_ROOT, "variable, call or mapping that alone keeps it" },
	{ "dominator", SEEP_HEAP_BY_DOMINATOR,
	  "outermost block that all ways lead through" },
	{ "arena", SEEP_HEAP_BY_ARENA, "arena of the allocator" },
	{ "zone", SEEP_HEAP_BY_ZONE, "allocator" },
	{ 0 },
};

/* 0: as a view tells it. */
static const struct option_word to_words[] = {
	{ "heapsnapshot", 1 + SEEP_HEAP_HEAPSNAPSHOT,
	  "all blocks, for Chrome's DevTools and memlab" },
	{ "dot", 1 + SEEP_HEAP_DOT, "what is around a block, for GraphViz" },
	{ 0 },
};

static const struct option options[] = {
	HEAP_OPTION_TOP(struct heap_arguments, "list so many rows; 20 unless said"),
	{ .name = "where",
	  .kind = OPTION_TEXT,
	  .field = FIELD(filter),
	  .argument = "FILTER",
	  .help = "only count blocks like these: \"type~^Node size>1k\", by type, root, size, "
		  "retained, address, lost, live; site, requested, age where recorded" },
	{ .name = "by",
	  .kind = OPTION_WORD,
	  .field = FIELD(by),
	  .argument = "WHAT",
	  .words = by_words,
	  .help = "what a row of a histogram or diff is, a type unless said; or "
		  "what dominators are taken together by" },
	HEAP_OPTION_RECORDING(struct heap_arguments),
	{ .name = "exclude",
	  .kind = OPTION_TEXTS,
	  .field = FIELD(excludes),
	  .argument = "NAME",
	  .help = "paths lead through no block of this type, and from no such root; * "
		  "stands for any letters" },
	{ .name = "max-length",
	  .kind = OPTION_COUNT,
	  .field = FIELD(max_length),
	  .argument = "N",
	  .help = "only tell cycles of so many blocks and fewer" },
	{ .name = "filter",
	  .kind = OPTION_TEXTS,
	  .field = FIELD(fields),
	  .argument = "FIELD",
	  .help = "cycles lead through no such field: \"Node+8\" are 8 bytes into Nodes; * "
		  "stands for any letters" },
	{ .name = "exact",
	  .kind = OPTION_FLAG,
	  .field = FIELD(exact),
	  .help = "in large heaps too find out what types retain exactly, not only at "
		  "least" },
	{ .name = "types",
	  .kind = OPTION_FLAG,
	  .field = FIELD(types),
	  .help = "name the types of blocks that debug information tells for certain; takes "
		  "longer" },
	{ .name = "contents",
	  .kind = OPTION_FLAG,
	  .field = FIELD(contents),
	  .help = "with inspect: also tell values that are no pointers" },
	{ .name = "json",
	  .kind = OPTION_FLAG,
	  .field = FIELD(json),
	  .help = "write JSON, schema seep.heap/1" },
	{ .name = "to",
	  .kind = OPTION_WORD,
	  .field = FIELD(to),
	  .argument = "FORMAT",
	  .words = to_words,
	  .help = "instead of a view write what another program reads" },
	{ .name = "depth",
	  .kind = OPTION_COUNT,
	  .field = FIELD(depth),
	  .argument = "N",
	  .help = "with --to dot: draw what is so many pointers away; 2 unless said" },
	OUTPUT_OPTION(FIELD(output), OUTPUT_OF_REPORT),
	HEAP_OPTIONS_LOOK(struct heap_arguments),
	{ 0 },
};

static const char *const usage[] = { "heap [OPTION]... TARGET VIEW [WHAT]",
				     "heap [OPTION]... TARGET diff|abandoned EARLIER...",
				     "heap [OPTION]... --to heapsnapshot TARGET",
				     "heap [OPTION]... --to dot TARGET ADDRESS", NULL };

static const struct option_word views[] = {
	{ "histogram", 0, "what the heap is made of, by type" },
	{ "dominators", 0, "what keeps the most alive, as a tree" },
	{ "retained", 0, "what would go with a block, a type or a variable" },
	{ "roots", 0, "what every variable, stack and mapping keeps alive" },
	{ "holders", 0, "what points to a block" },
	{ "paths", 0, "ways from roots to a block, or merged to a type" },
	{ "refs", 0, "what a block points to" },
	{ "inspect", 0, "what stands in a block: fields, pointers, zeros" },
	{ "cycles", 0, "blocks that hold each other" },
	{ "suspects", 0, "where memory piles up" },
	{ "dups", 0, "blocks that hold the same as others" },
	{ "waste", 0, "zeros, slack, and what containers keep in reserve" },
	{ "diff", 0, "what came and went since earlier snapshots" },
	{ "abandoned", 0, "what is held, never touched, and becomes more" },
	{ 0 },
};

static const struct example examples[] = {
	{ "heap 412 histogram", "what is the memory of process 412?" },
	{ "heap 412 dominators", "which blocks keep it alive?" },
	{ "heap --by type 412 dominators", "and which types?" },
	{ "heap 412 suspects", "where does it pile up?" },
	{ "heap 412 roots", "which variables and threads?" },
	{ "heap 412 retained 'Session*'", "what would go with all sessions?" },
	{ "heap 412 paths 0x55d0c0a82b0", "why is this block still there?" },
	{ "heap --types 412 inspect 0x55d0c0a82b0", "what is in it?" },
	{ "heap --where 'type~^Node size>1k' 412 histogram", "of some blocks only" },
	{ "heap 412 diff monday.seep", "what has come since?" },
	{ "heap --by root tuesday.seep diff monday.seep", "who holds what came?" },
	{ "heap --recording 412.trace --where 'age>10m' --by site 412 histogram",
	  "who allocated what is old?" },
	{ "heap --recording 412.trace --by site core.412 histogram",
	  "a recorded program crashed: who had allocated what?" },
	{ "heap 412 abandoned 1.seep 2.seep 3.seep",
	  "what is kept and never used again?" },
	{ "heap --top 5 --json monday.seep histogram", "of a snapshot, for programs" },
	{ "heap --to heapsnapshot -o 412.heapsnapshot 412",
	  "to click through in Chrome" },
	{ "heap --to dot 412 0x55d0c0a82b0 | dot -Tsvg -o block.svg",
	  "a picture of what is around a block" },
	{ 0 },
};

static const struct exit_code exit_codes[] = {
	{ STATUS_FINE, "the question was answered" },
	{ STATUS_USAGE, "the command line is wrong" },
	{ STATUS_UNABLE, "the target could not be looked into" },
	{ 0 },
};

static const struct syntax syntax = {
	.name = "heap",
	.summary = "tell who holds the memory of a process, and what it is",
	.usage = usage,
	.about = "Looks into a process, a core or a snapshot as seep leaks does, and "
		 "answers of all its blocks what they are, what keeps them alive, and "
		 "how much would go with each. What a block retains is the block and all "
		 "that nothing would reach without it.",
	.options = options,
	.operand = OPERAND_TARGET,
	.examples = examples,
	.exit_codes = exit_codes,
};

static const char *nearest_view(const char *word)
{
	const char *names[ARRAY_SIZE(views)];
	size_t nr = 0;
	for (; views[nr].word; nr++)
		names[nr] = views[nr].word;
	return suggest_nearest(word, names, nr);
}

static bool is_view(const char *word)
{
	for (size_t i = 0; views[i].word; i++)
		if (!strcmp(views[i].word, word))
			return true;
	return false;
}

/* Earlier snapshots come after these views. */
static bool takes_others(const char *view)
{
	return !strcmp(view, "diff") || !strcmp(view, "abandoned");
}

static struct error *no_view(struct error *error, const char *target, const char *view)
{
	struct str words = { 0 };
	for (size_t i = 0; views[i].word; i++)
		str_printf(&words, "%s%s", i ? ", " : "", views[i].word);
	error = view ? error_remedy(error, "seep heap %s %s", target, view)
		     : error_remedy(error, "give one of %s", str_text(&words));
	str_deinit(&words);
	return error;
}

/* An option that only views know; NULL: none was given. */
static const char *option_of_views(const struct heap_arguments *arguments)
{
	const struct {
		bool is_given;
		const char *name;
	} of_views[] = {
		{ arguments->filter, "--where" },
		{ arguments->by, "--by" },
		{ arguments->excludes.nr, "--exclude" },
		{ arguments->fields.nr, "--filter" },
	};
	for (size_t i = 0; i < ARRAY_SIZE(of_views); i++)
		if (of_views[i].is_given)
			return of_views[i].name;
	return NULL;
}

/* What is written out has no view. */
static struct error *check_export(const struct heap_arguments *arguments,
				  const struct operands *operands)
{
	bool is_dot = arguments->to == 1 + SEEP_HEAP_DOT;
	const char *unused = option_of_views(arguments);
	if (unused)
		return error_remedy(
			error_create(ERROR_USAGE,
				     "%s is for views; what --to writes has all "
				     "blocks, or those around one",
				     unused),
			"leave it out");
	if (is_dot && operands->nr < 2)
		return error_remedy(
			error_create(ERROR_USAGE,
				     "seep heap --to dot draws what is around "
				     "a block, and needs its address after %s",
				     operands->items[0]),
			"seep heap --to dot %s 0x55d0c0a82b0", operands->items[0]);
	if (operands->nr > (is_dot ? 2u : 1u))
		return error_create(ERROR_USAGE,
				    "seep heap --to %s writes what it knows, and has no "
				    "use for \"%s\"",
				    to_words[arguments->to - 1].word,
				    operands->items[operands->nr - 1]);
	return arguments->output ? output_check(arguments->output) : NULL;
}

static struct error *check(const struct heap_arguments *arguments,
			   const struct operands *operands)
{
	char *const *items = operands->items;
	if (!operands->nr)
		return process_require("heap", operands);
	if (arguments->to)
		return check_export(arguments, operands);
	if (operands->nr == 1)
		return no_view(error_create(ERROR_USAGE,
					    "seep heap needs a view after %s", items[0]),
			       items[0], NULL);
	if (!is_view(items[1]))
		return no_view(error_create(ERROR_USAGE, "seep heap has no view \"%s\"",
					    items[1]),
			       items[0], nearest_view(items[1]));
	if (operands->nr > 3 && !takes_others(items[1]))
		return error_create(ERROR_USAGE,
				    "seep heap asks one thing at a time, not also \"%s\"",
				    items[3]);
	return arguments->output ? output_check(arguments->output) : NULL;
}

/* What a view and an export ask with. */
static struct error *make_request(const struct heap_arguments *arguments,
				  const char *target, struct seep_heap_options *request)
{
	*request = (struct seep_heap_options){
		.size = sizeof(*request),
		.sysroot = arguments->sysroot,
		.filter = arguments->filter,
		.recording = arguments->recording,
		.excludes = arguments->excludes.items,
		.fields = arguments->fields.items,
		.by = (enum seep_heap_by)arguments->by,
		.max_length = arguments->max_length,
		.flags = (arguments->exact ? SEEP_HEAP_EXACT : 0) |
			 (arguments->types ? SEEP_HEAP_TYPES : 0) |
			 (arguments->contents ? SEEP_HEAP_CONTENTS : 0),
		.max_rows = arguments->top == UINT32_MAX ? 0
			    : arguments->top             ? arguments->top
							 : DEFAULT_TOP,
		.max_pause_ms = arguments->max_pause_ms,
		.freeze = arguments->freeze,
		.max_copy_bytes = arguments->max_copy_bytes,
	};
	return process_or_file(target, &request->pid, &request->file);
}

static struct error *ask(const struct heap_arguments *arguments,
			 const struct operands *operands, struct heap_report **report)
{
	struct seep_heap_options request;
	struct error *error = make_request(arguments, operands->items[0], &request);
	bool is_compared = takes_others(operands->items[1]);
	request.view = operands->items[1];
	if (is_compared)
		request.others = (const char *const *)operands->items + 2;
	else if (operands->nr > 2)
		request.asked = operands->items[2];
	return error ? error : seep_heap(&request, report);
}

static struct error *tell(const struct heap_arguments *arguments,
			  const struct operands *operands,
			  const struct heap_report *report)
{
	struct str again = { 0 };
	quote_for_shell(&again, operands->items[0]);
	struct report_options style = output_style(arguments->output, stdout);
	style.again = str_text(&again);
	struct str text =
		report_renderer(arguments->json ? "json" : "text")->heap(report, &style);
	struct error *error = output_put(arguments->output, stdout, &text);
	str_deinit(&again);
	return error;
}

static struct error *answer(const struct heap_arguments *arguments,
			    const struct operands *operands)
{
	struct heap_report *report = NULL;
	struct error *error = ask(arguments, operands, &report);
	if (!error)
		error = tell(arguments, operands, report);
	seep_heap_report_destroy(report);
	return error;
}

/* --- exports ------------------------------------------------------------------------- */

static struct error *put_part(void *context, const char *text, size_t size)
{
	struct str part = { 0 };
	str_append(&part, text, size);
	struct error *error = output_add(context, &part);
	str_deinit(&part);
	return error;
}

static struct error *export_heap(const struct heap_arguments *arguments,
				 const struct operands *operands)
{
	struct seep_heap_options request;
	struct output output;
	struct error *error = make_request(arguments, operands->items[0], &request);
	request.asked = operands->nr > 1 ? operands->items[1] : NULL;
	if (!error)
		error = output_open(arguments->output, stdout, &output);
	if (error)
		return error;
	error = seep_heap_export(&request, (enum seep_heap_format)(arguments->to - 1),
				 arguments->depth ? arguments->depth : DEFAULT_DEPTH,
				 put_part, &output);
	if (!error)
		error = output_close(&output);
	output_drop(&output);
	return error;
}

static enum exit_status run(char **argv)
{
	struct heap_arguments arguments = { 0 };
	struct operands operands;
	enum exit_status status;
	if (!command_begin(&heap_command, argv, &arguments, &operands, &status)) {
		text_vec_deinit(&arguments.excludes);
		text_vec_deinit(&arguments.fields);
		return status;
	}
	struct error *error = check(&arguments, &operands);
	if (!error && (!text_vec_push(&arguments.excludes, NULL) ||
		       !text_vec_push(&arguments.fields, NULL)))
		error = error_no_memory();
	if (!error)
		error = arguments.to ? export_heap(&arguments, &operands)
				     : answer(&arguments, &operands);
	status = error ? output_complain(error) : STATUS_FINE;
	text_vec_deinit(&arguments.excludes);
	text_vec_deinit(&arguments.fields);
	return status;
}

const struct command heap_command = { &syntax, run };
