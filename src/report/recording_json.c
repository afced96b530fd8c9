/* recording_json: what a trace tells, for programs; doc/report.schema.json. */
#include "report/renderers_priv.h"

#include "report/json_parts_priv.h"
#include "report/recording_parts_priv.h"

/* --- pieces ------------------------------------------------------------------------- */

static void put_target(struct json_writer *json, const struct recording_report *report)
{
	json_open_object(json, "target");
	json_target(json, report->pid, report->target);
	json_string(json, "file", report->file);
	json_close(json);
}

void recording_json_counts(struct json_writer *json, const char *key,
			   const struct recording_counts *counts)
{
	json_open_object(json, key);
	json_integer(json, "allocations", counts->allocations);
	json_integer(json, "total_bytes", counts->bytes);
	json_signed(json, "persistent_blocks", (int64_t)counts->live_blocks);
	json_signed(json, "persistent_bytes", (int64_t)counts->live_bytes);
	json_integer(json, "transient_blocks", counts->allocations - counts->live_blocks);
	json_integer(json, "transient_bytes", counts->bytes - counts->live_bytes);
	json_signed(json, "peak_blocks", (int64_t)counts->peak_blocks);
	json_signed(json, "peak_bytes", (int64_t)counts->peak_bytes);
	json_integer(json, "temporary", counts->temporary);
	json_integer(json, "resizes", counts->resizes);
	json_integer(json, "grown_bytes", counts->grown_bytes);
	json_integer(json, "largest_bytes", counts->largest_bytes);
	json_close(json);
}

static void put_frame(struct json_writer *json, const struct recording_places *places,
		      const struct recording_frame *frame)
{
	const struct recording_function *function =
		&places->functions.items[frame->function];
	const struct recording_module *module =
		function->module == RECORDING_NONE
			? NULL
			: &places->modules.items[function->module];
	json_open_object(json, NULL);
	json_string(json, "function", function->name);
	json_string(json, "file",
		    frame->file == RECORDING_NONE ? NULL
						  : places->files.items[frame->file]);
	if (frame->line)
		json_integer(json, "line", frame->line);
	else
		json_null(json, "line");
	json_string(json, "module", module ? module->path : NULL);
	json_string(json, "build_id", module ? module->build_id : NULL);
	json_hex(json, "offset", frame->offset, 0);
	json_bool(json, "inlined", frame->is_inlined);
	json_close(json);
}

void recording_json_stack(struct json_writer *json, const struct recording_places *places,
			  const struct recording_number_vec *frames)
{
	json_open_array(json, "stack");
	for (size_t i = 0; i < frames->nr; i++)
		put_frame(json, places, &places->frames.items[frames->items[i]]);
	json_close(json);
}

void recording_json_lifetimes(struct json_writer *json, const char *key,
			      const uint64_t *lifetimes)
{
	json_open_array(json, key);
	for (size_t i = 0; i < RECORDING_LIFETIMES; i++)
		json_integer(json, NULL, lifetimes[i]);
	json_close(json);
}

void recording_json_lifetime_classes(struct json_writer *json)
{
	json_open_array(json, "lifetime_classes");
	for (size_t i = 0; i < RECORDING_LIFETIMES; i++)
		json_string(json, NULL, recording_lifetime_names[i]);
	json_close(json);
}

/* --- the report --------------------------------------------------------------------- */

static void put_summary(struct json_writer *json, const struct recording_summary *summary)
{
	json_open_object(json, "summary");
	json_integer(json, "allocations", summary->allocations);
	json_integer(json, "resizes", summary->resizes);
	json_integer(json, "frees", summary->frees);
	json_integer(json, "total_bytes", summary->bytes);
	json_integer(json, "peak_bytes", summary->peak_bytes);
	json_signed(json, "peak_blocks", (int64_t)summary->peak_blocks);
	json_number(json, "peak_s", (double)summary->peak_us / 1e6, 6);
	json_signed(json, "live_bytes", (int64_t)summary->live_bytes);
	json_signed(json, "live_blocks", (int64_t)summary->live_blocks);
	json_integer(json, "temporary", summary->temporary);
	json_integer(json, "lost_events", summary->lost_events);
	json_integer(json, "stray_frees", summary->strays);
	json_integer(json, "pauses", summary->pauses);
	json_integer(json, "mappings", summary->maps);
	json_integer(json, "mapped_bytes", summary->mapped_bytes);
	json_integer(json, "unmapped_bytes", summary->unmapped_bytes);
	json_integer(json, "threads", summary->threads);
	recording_json_lifetimes(json, "lifetimes", summary->lifetimes);
	json_close(json);
}

static void put_end(struct json_writer *json, const struct recording_report *report)
{
	static const char *const ends[RECORDING_NR_ENDS] = {
		[RECORDING_EXITED] = "exited",
		[RECORDING_KILLED] = "killed",
	};
	json_string(json, "end", ends[report->end]);
	if (report->end)
		json_integer(json, "code", report->code);
	else
		json_null(json, "code");
}

static void put_timeline(struct json_writer *json, const struct recording_report *report)
{
	json_open_object(json, "timeline");
	json_number(json, "step_s", (double)report->point_us / 1e6, 6);
	json_open_array(json, "peak_bytes");
	for (size_t i = 0; i < report->timeline.nr; i++)
		json_integer(json, NULL, report->timeline.items[i].peak_bytes);
	json_close(json);
	json_open_array(json, "allocations");
	for (size_t i = 0; i < report->timeline.nr; i++)
		json_integer(json, NULL, report->timeline.items[i].allocations);
	json_close(json);
	json_close(json);
}

static void put_marks(struct json_writer *json, const struct recording_report *report)
{
	json_open_array(json, "marks");
	for (size_t i = 0; i < report->marks.nr; i++) {
		const struct recording_mark *mark = &report->marks.items[i];
		json_open_object(json, NULL);
		json_string(json, "name", mark->name);
		json_number(json, "time_s", (double)mark->time_us / 1e6, 6);
		json_signed(json, "live_bytes", (int64_t)mark->live_bytes);
		json_close(json);
	}
	json_close(json);
}

static void put_executions(struct json_writer *json,
			   const struct recording_report *report)
{
	json_open_array(json, "executions");
	for (size_t i = 0; i < report->executions.nr; i++) {
		const struct recording_execution *execution =
			&report->executions.items[i];
		json_open_object(json, NULL);
		json_string(json, "program", execution->program);
		json_number(json, "time_s", (double)execution->time_us / 1e6, 6);
		json_signed(json, "ended_blocks", (int64_t)execution->blocks);
		json_signed(json, "ended_bytes", (int64_t)execution->bytes);
		json_close(json);
	}
	json_close(json);
}

static void put_rows(struct json_writer *json, const struct recording_report *report)
{
	json_open_array(json, "rows");
	for (size_t i = 0; i < report->rows.nr; i++) {
		const struct recording_row *row = &report->rows.items[i];
		json_open_object(json, NULL);
		json_string(json, "label", row->label);
		json_integer(json, "depth", row->depth);
		recording_json_counts(json, "counts", &row->counts);
		if (row->has_lifetimes)
			recording_json_lifetimes(json, "lifetimes", row->lifetimes);
		else
			json_null(json, "lifetimes");
		recording_json_stack(json, &report->places, &row->frames);
		json_close(json);
	}
	json_close(json);
	json_integer(json, "rows_left_out", report->rows_left_out);
}

static void put_large(struct json_writer *json, const struct recording_report *report)
{
	json_open_array(json, "large");
	for (size_t i = 0; i < report->large.nr; i++) {
		const struct recording_large *large = &report->large.items[i];
		json_open_object(json, NULL);
		json_integer(json, "bytes", large->size);
		json_number(json, "time_s", (double)large->time_us / 1e6, 6);
		if (large->is_live)
			json_null(json, "lifetime_s");
		else
			json_number(json, "lifetime_s", (double)large->lifetime_us / 1e6,
				    6);
		json_integer(json, "thread", large->thread);
		recording_json_stack(json, &report->places, &large->frames);
		json_close(json);
	}
	json_close(json);
	json_integer(json, "large_left_out", report->large_left_out);
}

static void put_block(struct json_writer *json, const char *key,
		      const struct recording_report *report,
		      const struct recording_block *block)
{
	if (!block) {
		json_null(json, key);
		return;
	}
	json_open_object(json, key);
	json_hex(json, "address", block->address, 0);
	json_integer(json, "bytes", block->bytes);
	json_integer(json, "offset", block->offset);
	json_number(json, "allocated_s", (double)block->born_us / 1e6, 6);
	json_integer(json, "thread", block->thread);
	json_string(json, "mark",
		    block->generation ? report->marks.items[block->generation - 1].name
				      : NULL);
	json_close(json);
}

static void put_event(struct json_writer *json, const struct recording_report *report,
		      const struct recording_event *event)
{
	json_open_object(json, NULL);
	json_number(json, "time_s", (double)event->time_us / 1e6, 6);
	bool is_execution = event->kind == RECORDING_EXECUTED;
	if (is_execution)
		json_null(json, "thread");
	else
		json_integer(json, "thread", event->thread);
	json_string(json, "event", recording_event_names[event->kind]);
	json_string(json, "program",
		    is_execution ? report->executions.items[event->execution].program
				 : NULL);
	put_block(json, "ended", report, event->has_ended ? &event->ended : NULL);
	if (event->has_ended)
		json_number(json, "lifetime_s",
			    (double)(event->time_us - event->ended.born_us) / 1e6, 6);
	else
		json_null(json, "lifetime_s");
	put_block(json, "began", report, event->has_begun ? &event->begun : NULL);
	recording_json_stack(json, &report->places, &event->frames);
	json_close(json);
}

static void put_history(struct json_writer *json, const struct recording_report *report)
{
	const struct recording_history *history = &report->history;
	if (!history->is_asked) {
		json_null(json, "history");
		return;
	}
	json_open_object(json, "history");
	json_hex(json, "address", history->address, 0);
	json_integer(json, "blocks", history->nr_blocks);
	json_integer(json, "events_in_all", history->nr_events);
	put_block(json, "live", report, history->is_live ? &history->live : NULL);
	json_open_array(json, "events");
	for (size_t i = 0; i < history->events.nr; i++)
		put_event(json, report, &history->events.items[i]);
	json_close(json);
	json_integer(json, "events_left_out", history->events_left_out);
	json_close(json);
}

struct str recording_json(const struct recording_report *report,
			  const struct report_options *options)
{
	(void)options;
	struct json_writer json = { 0 };
	json_open_object(&json, NULL);
	json_string(&json, "schema", "seep.report/1");
	put_target(&json, report);
	json_number(&json, "start_s", (double)report->start_ns / 1e9, 6);
	json_number(&json, "from_s", (double)report->from_us / 1e6, 6);
	json_number(&json, "to_s", (double)report->to_us / 1e6, 6);
	put_end(&json, report);
	json_bool(&json, "cut", report->is_cut);
	recording_json_lifetime_classes(&json);
	put_summary(&json, &report->summary);
	put_timeline(&json, report);
	put_marks(&json, report);
	put_executions(&json, report);
	json_string(&json, "group_by", recording_group_names[report->group]);
	json_string(&json, "sort", recording_order_names[report->order]);
	put_rows(&json, report);
	put_large(&json, report);
	put_history(&json, report);
	json_sentences(&json, "warnings", report->warnings);
	json_close(&json);
	return json.out;
}
