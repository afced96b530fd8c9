/* recording: see recording.h. Rows, trees and stacks are made in files of their own. */
#include "traces/recording.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/sentences.h"
#include "base/str.h"
#include "traces/recording_priv.h"

/* --- counts ------------------------------------------------------------------------- */

struct recording_counts recording_counts_of(const struct recording_work *work,
					    uint32_t key)
{
	const struct tally *tally = replay_tally(&work->replay, key);
	const struct tally_more *more = replay_more(&work->replay, key);
	return (struct recording_counts){
		.allocations = tally->allocations,
		.bytes = tally->bytes,
		.live_blocks = tally->live,
		.live_bytes = tally->live_bytes,
		.peak_blocks = tally->peak,
		.peak_bytes = tally->peak_bytes,
		.temporary = tally->temporary,
		.resizes = more->resizes,
		.grown_bytes = more->grown_bytes,
		.largest_bytes = more->largest_bytes,
	};
}

void recording_counts_add(struct recording_counts *sum,
			  const struct recording_counts *counts)
{
	sum->allocations += counts->allocations;
	sum->bytes += counts->bytes;
	sum->live_blocks += counts->live_blocks;
	sum->live_bytes += counts->live_bytes;
	sum->peak_blocks += counts->peak_blocks;
	sum->peak_bytes += counts->peak_bytes;
	sum->temporary += counts->temporary;
	sum->resizes += counts->resizes;
	sum->grown_bytes += counts->grown_bytes;
	if (counts->largest_bytes > sum->largest_bytes)
		sum->largest_bytes = counts->largest_bytes;
}

/* --- the report's head -------------------------------------------------------------- */

static const char *last_program(const struct replay_execution_vec *executions)
{
	const char *program = executions->items[executions->nr - 1].program;
	const char *slash = strrchr(program, '/');
	program = slash ? slash + 1 : program;
	return *program ? program : "another program";
}

/* "env, then server (412)" */
static struct error *tell_target(struct recording_work *work)
{
	const struct trace_run *run = &work->trace->run;
	struct str target = { 0 };
	str_puts(&target, run->name ? run->name : "a program");
	if (work->replay.executions.nr)
		str_printf(&target, ", then %s", last_program(&work->replay.executions));
	str_printf(&target, " (%" PRIu64 ")", run->pid);
	work->report->target = str_take(&target);
	work->report->file = strdup(work->options->file);
	work->report->pid = (pid_t)run->pid;
	work->report->start_ns = run->start_ns;
	return work->report->target && work->report->file ? NULL : error_no_memory();
}

static void tell_end(struct recording_work *work)
{
	const struct trace *trace = work->trace;
	struct recording_report *report = work->report;
	report->is_cut = work->replay.is_cut;
	if (!trace->has_summary)
		return;
	report->code = (unsigned)trace->summary.code;
	if (trace->summary.flags & TRACE_EXITED)
		report->end = RECORDING_EXITED;
	else if (trace->summary.flags & TRACE_KILLED)
		report->end = RECORDING_KILLED;
}

static void tell_totals(struct recording_work *work)
{
	const struct replay_totals *totals = &work->replay.totals;
	work->report->summary = (struct recording_summary){
		.allocations = totals->allocations,
		.resizes = totals->resizes,
		.frees = totals->frees,
		.bytes = totals->bytes,
		.peak_bytes = totals->peak_bytes,
		.peak_blocks = totals->peak,
		.peak_us = totals->peak_us,
		.live_bytes = totals->live_bytes,
		.live_blocks = totals->live,
		.temporary = totals->temporary,
		.strays = totals->strays,
		.lost_events = totals->lost,
		.pauses = totals->pauses,
		.maps = totals->maps,
		.mapped_bytes = totals->mapped_bytes,
		.unmapped_bytes = totals->unmapped_bytes,
		.threads = work->trace->threads.nr,
	};
	memcpy(work->report->summary.lifetimes, totals->lifetimes,
	       sizeof(totals->lifetimes));
}

static void tell_window(struct recording_work *work)
{
	const struct recording_options *options = work->options;
	work->report->is_window = options->from.is_set || options->to.is_set;
	work->report->from_us = work->replay.start_us;
	work->report->to_us = work->replay.end_us;
	if (!options->to.is_set && work->trace->has_summary &&
	    work->trace->summary.duration_us > work->report->to_us)
		work->report->to_us = work->trace->summary.duration_us;
}

static struct error *tell_timeline(struct recording_work *work)
{
	const struct timeline *timeline = &work->replay.timeline;
	work->report->point_us = timeline->width_us;
	for (size_t i = 0; i < timeline->nr; i++) {
		struct recording_point point = {
			.peak_bytes = timeline->points[i].peak_bytes,
			.allocations = timeline->points[i].allocations,
		};
		if (!recording_point_vec_push(&work->report->timeline, point))
			return error_no_memory();
	}
	return NULL;
}

static struct error *tell_marks(struct recording_work *work)
{
	for (size_t i = 0; i < work->replay.marks.nr; i++) {
		const struct replay_mark *known = &work->replay.marks.items[i];
		struct recording_mark mark = {
			.name = strdup(known->name),
			.time_us = known->time_us,
			.live_bytes = known->live_bytes,
		};
		if (!mark.name || !recording_mark_vec_push(&work->report->marks, mark)) {
			free(mark.name);
			return error_no_memory();
		}
	}
	return NULL;
}

static struct error *tell_executions(struct recording_work *work)
{
	struct recording_summary *summary = &work->report->summary;
	for (size_t i = 0; i < work->replay.executions.nr; i++) {
		const struct replay_execution *known = &work->replay.executions.items[i];
		struct recording_execution execution = {
			.program = strdup(known->program),
			.time_us = known->time_us,
			.blocks = known->blocks,
			.bytes = known->bytes,
		};
		summary->replaced_blocks += known->blocks;
		summary->replaced_bytes += known->bytes;
		if (!execution.program ||
		    !recording_execution_vec_push(&work->report->executions, execution)) {
			free(execution.program);
			return error_no_memory();
		}
	}
	return NULL;
}

/* --- large allocations -------------------------------------------------------------- */

static int compare_large(const void *one, const void *other)
{
	const struct replay_large *a = one, *b = other;
	if (a->size != b->size)
		return a->size < b->size ? 1 : -1;
	return (a->born_us > b->born_us) - (a->born_us < b->born_us);
}

static struct error *tell_one_large(struct recording_work *work,
				    const struct replay_large *known)
{
	struct recording_large large = {
		.size = known->size,
		.time_us = known->born_us,
		.is_live = known->freed_us == UINT64_MAX,
		.thread = work->trace->threads.items[known->thread],
	};
	large.lifetime_us = large.is_live ? 0 : known->freed_us - known->born_us;
	uint32_t node = work->trace->requests.items[known->request].node;
	struct error *error = recording_stack(work, node, &large.frames);
	if (!error && !recording_large_vec_push(&work->report->large, large))
		error = error_no_memory();
	if (error)
		recording_number_vec_deinit(&large.frames);
	return error;
}

static struct error *tell_large(struct recording_work *work)
{
	struct replay_large_vec *all = &work->replay.large;
	uint32_t most = work->options->max_rows;
	struct error *error = NULL;
	work->report->large_bytes = work->options->large_bytes;
	work->report->large_left_out = work->replay.large_left_out;
	if (all->nr)
		qsort(all->items, all->nr, sizeof(*all->items), compare_large);
	for (size_t i = 0; !error && i < all->nr; i++) {
		if (most && i == most) {
			work->report->large_left_out += all->nr - i;
			break;
		}
		error = tell_one_large(work, &all->items[i]);
	}
	return error;
}

/* --- warnings ----------------------------------------------------------------------- */

static struct error *warn_of_trace(const struct recording_report *report,
				   struct sentence_vec *warnings)
{
	struct error *error = NULL;
	if (report->is_cut)
		error = sentences_add(warnings,
				      "%s was cut off: what came after %.3f s is missing",
				      report->file, (double)report->to_us / 1e6);
	if (!error && report->summary.lost_events)
		error = sentences_add(
			warnings,
			"%" PRIu64
			" events were lost while recording, so that blocks may "
			"be missing or seem to live",
			report->summary.lost_events);
	if (!error && report->summary.pauses)
		error = sentences_add(
			warnings,
			"recording was stopped for a time: blocks of then are missing, and "
			"those freed then seem to live");
	return error;
}

struct error *recording_work_warn(struct recording_work *work)
{
	struct sentence_vec warnings = { 0 };
	struct error *error = warn_of_trace(work->report, &warnings);
	if (!error)
		error = recording_frames_warn(work->frames, &warnings);
	if (!error)
		error = sentences_take(&warnings, &work->report->warnings);
	sentences_deinit(&warnings);
	return error;
}

/* --- all of it ---------------------------------------------------------------------- */

static struct replay_options replay_options_of(const struct recording_options *options)
{
	return (struct replay_options){
		.key = recording_key(options->group),
		.from = options->from,
		.to = options->to,
		.one_thread = options->one_thread,
		.thread = options->thread,
		.large_bytes = options->large_bytes,
		.has_address = options->has_address,
		.address = options->address,
		.most_events = options->max_rows,
	};
}

struct error *recording_work_begin(struct recording_work *work,
				   const struct recording_options *options)
{
	const struct replay_options replay = replay_options_of(options);
	*work = (struct recording_work){ .options = options };
	work->report = calloc(1, sizeof(*work->report));
	if (!work->report)
		return error_no_memory();
	struct error *error = trace_reader_open(options->file, &work->reader);
	if (error)
		return error;
	work->trace = trace_reader_trace(work->reader);
	work->report->group = options->group;
	work->report->order = options->order;
	if (options->has_address)
		error = trace_reader_keep_addresses(work->reader);
	if (!error)
		error = replay_run(work->reader, &replay, &work->replay);
	if (!error)
		error = recording_frames_create(work->trace, &work->report->places,
						&work->frames);
	if (!error)
		error = tell_target(work);
	if (error)
		return error;
	tell_end(work);
	tell_totals(work);
	tell_window(work);
	return NULL;
}

void recording_work_deinit(struct recording_work *work)
{
	recording_report_destroy(work->report);
	recording_frames_destroy(work->frames);
	recording_types_deinit(&work->types);
	replay_deinit(&work->replay);
	trace_reader_close(work->reader);
}

static struct error *tell_groups(struct recording_work *work)
{
	struct recording_row_vec *rows = &work->report->rows;
	struct error *error = recording_rows_make(work, rows);
	if (error)
		return error;
	if (work->options->group == RECORDING_BY_SITE)
		work->report->summary.sites = rows->nr;
	recording_rows_cut(work, rows);
	for (size_t i = 0; !error && i < rows->nr; i++)
		error = recording_row_name(work, &rows->items[i]);
	return error;
}

static struct error *tell_tree(struct recording_work *work)
{
	struct recording_node_vec tree = { 0 };
	bool bottom_up = work->options->group == RECORDING_BOTTOM_UP;
	struct error *error = recording_tree_make(work, bottom_up, false, &tree);
	if (!error)
		error = recording_tree_rows(work, &tree, &work->report->rows);
	recording_node_vec_deinit(&tree);
	return error;
}

static struct error *tell_rows(struct recording_work *work)
{
	bool is_tree = work->options->group == RECORDING_TOP_DOWN ||
		       work->options->group == RECORDING_BOTTOM_UP;
	if (work->options->has_address)
		return recording_tell_history(work);
	struct error *error = is_tree ? tell_tree(work) : tell_groups(work);
	if (!error && work->options->flags & (RECORDING_TREE | RECORDING_TREE_LINES))
		error = recording_tree_make(work, false,
					    work->options->flags & RECORDING_TREE_LINES,
					    &work->report->tree);
	return error;
}

struct error *recording_read(const struct recording_options *options,
			     struct recording_report **result)
{
	static struct error *(*const steps[])(struct recording_work * work) = {
		tell_timeline, tell_marks, tell_executions,
		tell_rows,     tell_large, recording_work_warn,
	};
	struct recording_work work;
	struct error *error = recording_work_begin(&work, options);
	for (size_t i = 0; !error && i < ARRAY_SIZE(steps); i++)
		error = steps[i](&work);
	if (!error) {
		*result = work.report;
		work.report = NULL;
	}
	recording_work_deinit(&work);
	return error;
}
