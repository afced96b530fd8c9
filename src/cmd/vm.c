/* The command `seep vm`: what the memory of processes is made of. */
#include "seep/vm.h"

#include <stdio.h>
#include <time.h>

#include "cmd/command.h"
#include "cmd/freeze.h"
#include "cmd/output.h"
#include "cmd/process.h"
#include "cmd/watch.h"
#include "report/report.h"

struct vm_arguments {
	bool summary, interleaved, pages, children, json;
	const char *output, *sysroot;
	unsigned max_pause_ms;
	unsigned sample_ms, count;
};

#define FIELD(name) offsetof(struct vm_arguments, name)

static const struct option options[] = {
	{ .name = "summary",
	  .kind = OPTION_FLAG,
	  .field = FIELD(summary),
	  .help = "one row for each type of memory (the default)" },
	{ .name = "interleaved",
	  .kind = OPTION_FLAG,
	  .field = FIELD(interleaved),
	  .help = "one row for each region, in the order of addresses" },
	{ .name = "pages",
	  .kind = OPTION_FLAG,
	  .field = FIELD(pages),
	  .help = "sizes in pages of 4096 bytes" },
	{ .name = "children",
	  .kind = OPTION_FLAG,
	  .field = FIELD(children),
	  .help = "also the processes that descend from it" },
	{ .name = "sample",
	  .kind = OPTION_INTERVAL,
	  .field = FIELD(sample_ms),
	  .argument = "TIME",
	  .help = "look again every so often and tell what has changed: 5, 5s, 2m" },
	{ .name = "count",
	  .kind = OPTION_COUNT,
	  .field = FIELD(count),
	  .argument = "N",
	  .help = "with --sample, look so often and end" },
	FREEZE_OPTION_MAX_PAUSE(FIELD(max_pause_ms)),
	{ .name = "sysroot",
	  .kind = OPTION_FILE,
	  .field = FIELD(sysroot),
	  .argument = "FOLDER",
	  .help = "of a core of another machine: the folder that has its files" },
	{ .name = "json",
	  .kind = OPTION_FLAG,
	  .field = FIELD(json),
	  .help = "report in JSON, schema seep.vm/1; with --sample one line each time" },
	OUTPUT_OPTION(FIELD(output), OUTPUT_OF_REPORT),
	{ 0 },
};

static const char *const usage[] = { "vm [OPTION]... TARGET...", NULL };

static const struct example examples[] = {
	{ "vm 412", "what is the memory of process 412 made of?" },
	{ "vm --interleaved 412", "and region by region?" },
	{ "vm --children postgres", "a server and its workers, what they share once" },
	{ "vm --sample 10 --count 6 412", "what grows in the next minute?" },
	{ "vm --json 412 | jq '.processes[0].footprint_bytes'", "a number for a script" },
	{ 0 },
};

static const struct exit_code exit_codes[] = {
	{ STATUS_FINE, "the memory was told" },
	{ STATUS_USAGE,
	  "the command line is wrong, or several processes have that name" },
	{ STATUS_UNABLE, "a process or file could not be inspected" },
	{ 0 },
};

static const struct syntax syntax = {
	.name = "vm",
	.summary = "tell what the memory of processes is made of",
	.usage = usage,
	.about =
		"Sorts the mappings of a process by what they are for: heap, arenas, stacks, "
		"data, code, files. For each it tells what the kernel counts: the footprint, "
		"which is dirty memory by share and what is swapped out; what is resident, "
		"private, shared. What several processes have in common counts once. Of a "
		"core or a snapshot it tells the mappings.",
	.options = options,
	.operand = OPERAND_TARGET,
	.examples = examples,
	.exit_codes = exit_codes,
};

DEFINE_VEC(pid_list, pid_t);

struct vm_work {
	const struct vm_arguments *arguments;
	struct seep_vm_options request;
	struct pid_list pids;
	struct vm_report *before; /* of --sample: the look before */
};

/* --- the command line --------------------------------------------------------------- */

static struct error *check_sample(const struct vm_arguments *arguments)
{
	if (arguments->count && !arguments->sample_ms)
		return error_remedy(error_create(ERROR_USAGE,
						 "--count goes with --sample"),
				    "add --sample 10");
	if (arguments->sample_ms && arguments->output)
		return error_remedy(error_create(ERROR_USAGE,
						 "--sample writes to stdout as it goes, "
						 "and to no --output"),
				    "redirect it: seep vm --sample 10 PID > FILE");
	return NULL;
}

static struct error *check_arguments(const struct vm_arguments *arguments,
				     const struct operands *operands)
{
	if (!operands->nr)
		return process_require("vm", operands);
	if (arguments->summary && arguments->interleaved)
		return error_remedy(
			error_create(ERROR_USAGE,
				     "--summary and --interleaved exclude each other"),
			"leave out one of them");
	struct error *error = check_sample(arguments);
	if (error || !arguments->output)
		return error;
	return output_check(arguments->output);
}

static struct error *add_target(struct vm_work *work, const char *target)
{
	pid_t pid = 0;
	const char *file = NULL;
	struct error *error = process_or_file(target, &pid, &file);
	if (error)
		return error;
	if (file)
		work->request.file = file;
	else if (!pid_list_push(&work->pids, pid))
		return error_no_memory();
	return NULL;
}

/* Files stand alone: what they share with others is not known. */
static struct error *check_targets(const struct vm_work *work,
				   const struct operands *operands)
{
	const char *file = work->request.file;
	if (!file)
		return NULL;
	if (operands->nr > 1)
		return error_create(ERROR_USAGE, "\"%s\" is a file, and stands alone",
				    file);
	if (work->arguments->children || work->arguments->sample_ms)
		return error_create(ERROR_USAGE,
				    "\"%s\" is a file: it has no children, and does not "
				    "change",
				    file);
	return NULL;
}

static struct error *find_targets(struct vm_work *work, const struct operands *operands)
{
	struct error *error = NULL;
	for (size_t i = 0; !error && i < operands->nr; i++)
		error = add_target(work, operands->items[i]);
	if (!error)
		error = check_targets(work, operands);
	work->request.size = sizeof(work->request);
	work->request.pids = work->pids.items;
	work->request.nr_pids = work->request.file ? 0 : work->pids.nr;
	work->request.sysroot = work->arguments->sysroot;
	work->request.flags = work->arguments->children ? SEEP_VM_CHILDREN : 0;
	work->request.max_pause_ms = work->arguments->max_pause_ms;
	return error;
}

/* --- the answer --------------------------------------------------------------------- */

static struct report_options style_of(const struct vm_arguments *arguments)
{
	struct report_options style = output_style(arguments->output, stdout);
	style.flags |= arguments->interleaved ? REPORT_REGIONS : 0;
	style.flags |= arguments->pages ? REPORT_PAGES : 0;
	return style;
}

static struct error *write_report(const struct vm_arguments *arguments,
				  const struct vm_report *report, unsigned flags)
{
	struct report_options style = style_of(arguments);
	style.flags |= flags;
	struct str text =
		report_renderer(arguments->json ? "json" : "text")->vm(report, &style);
	return output_put(arguments->output, stdout, &text);
}

static struct error *look_once(struct vm_work *work)
{
	struct vm_report *report = NULL;
	struct error *error = seep_vm(&work->request, &report);
	if (!error)
		error = write_report(work->arguments, report, 0);
	seep_vm_report_destroy(report);
	return error;
}

static struct error *write_changes(const struct vm_work *work,
				   const struct vm_report *report)
{
	char clock[32] = "";
	time_t now = time(NULL);
	struct tm local;
	if (localtime_r(&now, &local))
		strftime(clock, sizeof(clock), "%H:%M:%S ", &local);
	fputs(clock, stdout);
	const struct report_options style = style_of(work->arguments);
	struct str text = report_vm_changes(work->before, report, &style);
	return output_put(NULL, stdout, &text);
}

/* The first time it tells all; JSON does every time. */
static struct error *look_once_more(void *context)
{
	struct vm_work *work = context;
	struct vm_report *report = NULL;
	struct error *error = seep_vm(&work->request, &report);
	if (error)
		return error;
	if (work->arguments->json || !work->before)
		error = write_report(work->arguments, report,
				     work->arguments->json ? REPORT_BRIEF : 0);
	else
		error = write_changes(work, report);
	seep_vm_report_destroy(work->before);
	work->before = report;
	return error;
}

static struct error *sample(struct vm_work *work)
{
	const struct watch watch = {
		.pid = work->pids.nr ? work->pids.items[0] : 0,
		.interval_ms = work->arguments->sample_ms,
		.count = work->arguments->count,
		.look = look_once_more,
		.context = work,
	};
	enum watch_end end;
	struct error *error = watch_process(&watch, &end);
	if (!error && end == WATCH_ENDED)
		fprintf(stderr, "seep: process %d has ended.\n", (int)watch.pid);
	return error;
}

static enum exit_status run(char **argv)
{
	struct vm_arguments arguments = { 0 };
	struct operands operands;
	enum exit_status status;
	if (!command_begin(&vm_command, argv, &arguments, &operands, &status))
		return status;
	struct vm_work work = { .arguments = &arguments };
	struct error *error = check_arguments(&arguments, &operands);
	if (!error)
		error = find_targets(&work, &operands);
	if (!error)
		error = arguments.sample_ms ? sample(&work) : look_once(&work);
	seep_vm_report_destroy(work.before);
	pid_list_deinit(&work.pids);
	return error ? output_complain(error) : STATUS_FINE;
}

const struct command vm_command = { &syntax, run };
