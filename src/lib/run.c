/*
 * lib/run: seep/run.h over a witness, who records the program, and the analysis, which waits for
 * its end.
 */
#include "seep/run.h"

#include <string.h>
#include <time.h>

#include "analyse/run.h"
#include "base/cleanup.h"
#include "lib/request.h"
#include "record/launch.h"
#include "record/unfollowed.h"
#include "record/witness.h"
#include "seep/leaks.h"

#define MAX_EXAMPLES 3
#define MAX_SITES    5
#define MAX_FRAMES   256
#define MAX_PAUSE_MS 60000

struct runner {
	const struct seep_run_options *request;
	struct witness *witness;
	struct launch launch;
	struct run_recording recording;
	struct unfollowed unfollowed;
	char *program; /* its real path, as modules have it */
};

/* --- what was recorded -------------------------------------------------------------- */

static bool copy_code(const struct loaded_vec *loaded, struct trace_code_vec *code)
{
	for (size_t i = 0; i < loaded->nr; i++) {
		const struct loaded *from = &loaded->items[i];
		const struct trace_code to = {
			.start = from->start,
			.end = from->end,
			.bias = from->bias,
			.first_node = from->first_node,
			.end_node = from->end_node,
			.path = from->path,
			.build_id = from->build_id,
			.is_executed = from->is_executed,
		};
		if (!trace_code_vec_push(code, to))
			return false;
	}
	return true;
}

static bool copy_nodes(const struct witness *witness, struct trace_node_vec *nodes)
{
	uint32_t nr = witness_nr_nodes(witness);
	for (uint32_t i = 0; i < nr; i++) {
		struct stack_node from;
		if (!witness_node(witness, i, &from))
			return false;
		const struct trace_node to = { from.address, from.parent };
		if (!trace_node_vec_push(nodes, to))
			return false;
	}
	return true;
}

static bool copy_requests(const struct witness *witness, struct run_request_vec *requests)
{
	const struct accounts *accounts = witness_accounts(witness);
	const struct ledger *ledger = witness_ledger(witness);
	for (uint32_t i = 0; i < accounts->nr; i++) {
		const struct account *account = accounts_at(accounts, i);
		const struct request *request = requests_at(&ledger->requests, i);
		const struct run_request to = {
			.size = request->size,
			.node = request->node,
			.allocations = account->allocations,
			.temporary = account->temporary,
			.peak = accounts_peak_blocks(accounts, account),
			.live = account->live,
		};
		if (!run_request_vec_push(requests, to))
			return false;
	}
	return true;
}

static bool copy_blocks(const struct ledger *ledger, struct heap_recording *heap)
{
	struct recorded_block_vec live = { 0 };
	bool good = ledger_live(ledger, &live);
	for (size_t i = 0; good && i < live.nr; i++) {
		const struct heap_block block = { live.items[i].address,
						  live.items[i].size,
						  live.items[i].node };
		good = heap_block_vec_push(&heap->blocks, block);
	}
	recorded_block_vec_deinit(&live);
	heap_blocks_settle(&heap->blocks);
	for (size_t i = 0; good && i < ledger->mappings.nr; i++) {
		const struct heap_span mapping = {
			.start = ledger->mappings.items[i].start,
			.end = ledger->mappings.items[i].end,
		};
		good = heap_span_vec_push(&heap->mappings, mapping);
	}
	return good;
}

static struct error *settle(void *context, struct run_recording *recording)
{
	struct runner *runner = context;
	const struct witness *witness = runner->witness;
	witness_settle(runner->witness);
	const struct ledger *ledger = witness_ledger(witness);
	runner->program = realpath(runner->launch.path, NULL);
	recording->trace.run.path = runner->program;
	recording->is_replaced = witness_is_replaced(witness);
	if (recording->is_replaced)
		unfollowed_look(&runner->unfollowed, runner->launch.pid);
	recording->heap.has_all_mappings = !ledger->totals.lost;
	bool good = copy_code(witness_loaded(witness), &recording->trace.code) &&
		    copy_nodes(witness, &recording->trace.nodes) &&
		    copy_requests(witness, &recording->requests) &&
		    copy_blocks(ledger, &recording->heap);
	return good ? NULL : error_no_memory();
}

static void recording_deinit(struct run_recording *recording)
{
	trace_code_vec_deinit(&recording->trace.code);
	trace_node_vec_deinit(&recording->trace.nodes);
	run_request_vec_deinit(&recording->requests);
	heap_block_vec_deinit(&recording->heap.blocks);
	heap_span_vec_deinit(&recording->heap.mappings);
}

/* --- the run ------------------------------------------------------------------------ */

static struct error *go(void *context, const struct await *await)
{
	struct runner *runner = context;
	const struct seep_run_options *request = runner->request;
	if (request->on_start)
		request->on_start(request->context, runner->launch.pid);
	return launch_go(&runner->launch, request->command[0], await);
}

static struct error *prepare(struct runner *runner)
{
	const struct seep_run_options *request = runner->request;
	const struct record_session_options wanted = {
		.on_full = request->flags & SEEP_RUN_DROP ? SESSION_DROP : SESSION_BLOCK,
		.max_frames = request->max_frames ? request->max_frames : MAX_FRAMES,
		.follows = true,
	};
	struct error *error = witness_start(&wanted, &runner->witness);
	if (!error)
		error = launch_prepare(&runner->launch, request->command,
				       witness_session_name(runner->witness));
	if (!error)
		witness_follow(runner->witness, runner->launch.pid);
	return error;
}

static struct error *wait_for_end(struct runner *runner, const struct baseline *known,
				  struct run_report *report)
{
	const struct seep_run_options *request = runner->request;
	const struct analyse_run_options wanted = {
		.leaks = {
			.command = request->command,
			.command_status = &report->command_status,
			.flags = request->flags & SEEP_RUN_STRICT ? ANALYSE_STRICT : 0,
			.kinds = request->kinds ? request->kinds
						: SEEP_KIND_DEFINITE | SEEP_KIND_POSSIBLE,
			.excludes = request->excludes,
			.suppressions = request->suppressions,
			.max_pause_ms = request->max_pause_ms ? request->max_pause_ms
							      : MAX_PAUSE_MS,
			.max_findings = request->max_findings,
			.max_examples = request->max_examples ? request->max_examples
							      : MAX_EXAMPLES,
			.known = known,
			.snapshot = request->snapshot,
		},
		.max_sites = request->max_sites ? request->max_sites : MAX_SITES,
		.child = runner->launch.pid,
		.go = go,
		.settle = settle,
		.context = runner,
	};
	report->pid = runner->launch.pid;
	return analyse_run(&wanted, &runner->recording, report);
}

/* --- the report --------------------------------------------------------------------- */

static uint64_t now_ns(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static struct error *fill_totals(const struct runner *runner, struct run_report *report)
{
	const struct ledger_totals *totals = &witness_ledger(runner->witness)->totals;
	report->target = witness_title(runner->witness, runner->request->command[0]);
	report->allocations = totals->allocations;
	report->frees = totals->frees;
	report->bytes = totals->bytes;
	report->temporary = totals->temporary;
	report->peak_bytes = totals->peak_bytes;
	report->live_bytes = totals->live_bytes;
	report->live_blocks = totals->live_blocks;
	report->lost_events = totals->lost;
	report->executions = totals->executions;
	return report->target ? NULL : error_no_memory();
}

static struct error *run(struct runner *runner, struct run_report *report)
{
	const char *baseline = runner->request->baseline;
	struct baseline *known = NULL;
	struct error *error = baseline ? baseline_read(baseline, &known) : NULL;
	if (!error)
		error = prepare(runner);
	uint64_t began_ns = now_ns();
	if (!error)
		error = wait_for_end(runner, known, report);
	report->seconds = (double)(now_ns() - began_ns) / 1e9;
	if (!error)
		error = fill_totals(runner, report);
	report->growth_bytes =
		(int64_t)(report->live_bytes - (known ? known->live_bytes : 0));
	if (!error)
		error = witness_warn(runner->witness, &report->warnings);
	if (!error && runner->unfollowed.why)
		error = sentences_add(&report->warnings, "%s",
				      runner->unfollowed.why->sentence);
	baseline_destroy(known);
	return error;
}

struct error *seep_run(const struct seep_run_options *options, struct run_report **report)
{
	struct seep_run_options request;
	if (!request_copy(options, options->size, &request, sizeof(request)))
		return error_create(ERROR_USAGE,
				    "seep_run: the options are of an unknown version");
	if (!request.command || !request.command[0])
		return error_create(ERROR_USAGE, "seep_run: give a command");
	struct runner runner = {
		.request = &request,
		.launch = { .go = -1, .complaint = -1 },
	};
	struct run_report *made = calloc(1, sizeof(*made));
	if (!made)
		return error_no_memory();
	made->command_status = -1;
	struct error *error = run(&runner, made);
	if (request.start_code)
		*request.start_code = runner.launch.status;
	launch_deinit(&runner.launch);
	recording_deinit(&runner.recording);
	unfollowed_deinit(&runner.unfollowed);
	witness_end(runner.witness);
	free(runner.program);
	if (error)
		run_report_destroy(made);
	else
		*report = made;
	return error;
}

void seep_run_report_destroy(struct run_report *report)
{
	run_report_destroy(report);
}
