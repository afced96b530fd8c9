/* leaks_watch: `seep leaks --interval`: looks again and again, and tells what is new. */
#include "cmd/leaks_priv.h"

#include <stdio.h>
#include <time.h>

#include "cmd/output.h"
#include "cmd/process.h"
#include "cmd/watch.h"
#include "report/report.h"

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
	enum exit_status status = leaks_judge(report);
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
	return leaks_write(rounds->arguments, rounds->operands,
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
	rounds->request = leaks_request(arguments);
	rounds->request.pid = watch.pid;
	rounds->request.baseline = &rounds->baseline;
	if (!error)
		error = watch_process(&watch, &end);
	if (!error && end == WATCH_ENDED)
		fprintf(stderr, "seep: process %d has ended.\n", (int)watch.pid);
	return error;
}

enum exit_status leaks_watch(const struct leaks_arguments *arguments,
			     const struct operands *operands)
{
	struct rounds rounds = {
		.arguments = arguments,
		.operands = operands,
		.status = STATUS_UNABLE,
	};
	struct error *error = leaks_check(arguments, operands);
	if (!error)
		error = look_repeatedly(&rounds);
	seep_leaks_baseline_destroy(rounds.baseline);
	return error ? output_complain(error) : rounds.status;
}
