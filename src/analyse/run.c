/* run: see run.h. */
#include "analyse/run.h"

#include <assert.h>
#include <stdlib.h>

#include "analyse/call_sites.h"
#include "base/map.h"

struct run {
	const struct analyse_run_options *options;
	struct run_recording *recording;
	struct call_sites *sites;
	struct source_recording source;
	bool has_run, is_settled;
};

/* All of one stack. */
struct sum {
	uint32_t node;
	struct run_site of;
};
DEFINE_VEC(sum_vec, struct sum);

/* --- what the source calls ---------------------------------------------------------- */

static struct error *go(void *context, const struct await *await)
{
	struct run *run = context;
	struct error *error = run->options->go(run->options->context, await);
	run->has_run = !error;
	return error;
}

static struct error *settle(void *context)
{
	struct run *run = context;
	if (run->is_settled)
		return NULL;
	run->is_settled = true;
	struct error *error = run->options->settle(run->options->context, run->recording);
	if (error || run->recording->is_replaced)
		return error;
	run->source.heap = &run->recording->heap;
	return call_sites_create(&run->recording->trace, &run->recording->heap.blocks,
				 &run->sites);
}

/* --- the worst sites ---------------------------------------------------------------- */

static struct error *add_up(const struct run_request_vec *requests, struct sum_vec *sums)
{
	struct map numbers = { 0 };
	struct error *error = NULL;
	for (size_t i = 0; !error && i < requests->nr; i++) {
		const struct run_request *request = &requests->items[i];
		uint64_t *number = map_at(&numbers, request->node);
		struct sum none = { .node = request->node };
		if (!number || (!*number && !sum_vec_push(sums, none))) {
			error = error_no_memory();
			continue;
		}
		if (!*number)
			*number = sums->nr;
		assert(sums->items);
		struct run_site *site = &sums->items[*number - 1].of;
		site->allocations += request->allocations;
		site->bytes += request->allocations * request->size;
		site->peak_blocks += request->peak;
		site->peak_bytes += request->peak * request->size;
		site->live_blocks += request->live;
		site->live_bytes += request->live * request->size;
		site->temporary += request->temporary;
	}
	map_deinit(&numbers);
	return error;
}

static int by_peak(const void *a, const void *b)
{
	const struct sum *left = a, *right = b;
	if (left->of.peak_bytes != right->of.peak_bytes)
		return left->of.peak_bytes > right->of.peak_bytes ? -1 : 1;
	return (left->node > right->node) - (left->node < right->node);
}

static int by_total(const void *a, const void *b)
{
	const struct sum *left = a, *right = b;
	if (left->of.bytes != right->of.bytes)
		return left->of.bytes > right->of.bytes ? -1 : 1;
	return (left->node > right->node) - (left->node < right->node);
}

static struct error *tell_worst(struct run *run, struct sum_vec *sums,
				int (*order)(const void *, const void *),
				struct run_site_vec *worst)
{
	struct error *error = NULL;
	if (sums->nr)
		qsort(sums->items, sums->nr, sizeof(*sums->items), order);
	for (size_t i = 0; !error && i < sums->nr && i < run->options->max_sites; i++) {
		const struct call_site *site = NULL;
		struct run_site told = sums->items[i].of;
		error = call_sites_of_node(run->sites, sums->items[i].node, &site);
		if (!error && site)
			error = call_sites_tell(run->sites, site, &told.stack);
		if (error || !run_site_vec_push(worst, told)) {
			call_stack_deinit(&told.stack);
			return error ? error : error_no_memory();
		}
	}
	return error;
}

static struct error *find_worst(struct run *run, struct run_report *report)
{
	struct sum_vec sums = { 0 };
	struct error *error = add_up(&run->recording->requests, &sums);
	if (!error)
		error = tell_worst(run, &sums, by_peak, &report->by_peak);
	if (!error)
		error = tell_worst(run, &sums, by_total, &report->by_total);
	sum_vec_deinit(&sums);
	return error;
}

/* --- all of it ---------------------------------------------------------------------- */

/* The program has run, whatever could not be found out about it. */
static struct error *warn(struct run_report *report, struct error *trouble)
{
	if (!trouble)
		return NULL;
	struct error *error = sentences_add(
		&report->warnings, "its leaks are not known: %s", trouble->sentence);
	error_destroy(trouble);
	return error;
}

static struct error *sum_up(struct run *run, struct run_report *report)
{
	struct error *error = settle(run);
	if (!error && run->recording->is_replaced)
		error = sentences_add(&report->warnings,
				      "the program executed another, which was not "
				      "recorded: leaks of that one have no call stacks");
	if (error || !run->sites)
		return error;
	error = find_worst(run, report);
	return error ? error : call_sites_warn(run->sites, &report->warnings);
}

struct error *analyse_run(const struct analyse_run_options *options,
			  struct run_recording *recording, struct run_report *report)
{
	struct run run = { .options = options, .recording = recording };
	run.source = (struct source_recording){
		.child = options->child,
		.go = go,
		.settle = settle,
		.context = &run,
	};
	struct analyse_leaks_options wanted = options->leaks;
	wanted.recording = &run.source;
	wanted.call_sites = &run.sites;
	struct error *error = analyse_leaks(&wanted, &report->leaks);
	if (run.has_run) {
		error = warn(report, error);
		if (!error)
			error = sum_up(&run, report);
	}
	call_sites_destroy(run.sites);
	return error;
}
