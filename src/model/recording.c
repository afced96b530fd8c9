/* recording: see recording.h. */
#include "model/recording.h"

#include <stdlib.h>
#include <string.h>

const char *const recording_group_names[RECORDING_NR_GROUPS] = {
	[RECORDING_BY_SITE] = "site",        [RECORDING_BY_FUNCTION] = "function",
	[RECORDING_BY_MODULE] = "module",    [RECORDING_BY_THREAD] = "thread",
	[RECORDING_BY_SIZE] = "size",        [RECORDING_BY_MARK] = "mark",
	[RECORDING_BY_TYPE] = "type",        [RECORDING_TOP_DOWN] = "top-down",
	[RECORDING_BOTTOM_UP] = "bottom-up",
};

const char *const recording_order_names[RECORDING_NR_ORDERS] = {
	[RECORDING_PEAK] = "peak",
	[RECORDING_PERSISTENT] = "persistent",
	[RECORDING_TRANSIENT] = "transient",
	[RECORDING_TOTAL] = "total",
	[RECORDING_ALLOCATIONS] = "allocations",
	[RECORDING_TEMPORARY] = "temporary",
};

const char *const recording_lifetime_names[RECORDING_LIFETIMES] = {
	"under 1 ms", "under 10 ms", "under 100 ms", "under 1 s",
	"under 10 s", "under 100 s", "under 1000 s", "longer",
};

const char *const recording_event_names[RECORDING_NR_EVENT_KINDS] = {
	[RECORDING_ALLOCATED] = "allocated",
	[RECORDING_FREED] = "freed",
	[RECORDING_RESIZED] = "resized",
	[RECORDING_EXECUTED] = "executed",
};

int64_t recording_value(const struct recording_counts *counts, enum recording_order order)
{
	const uint64_t values[RECORDING_NR_ORDERS] = {
		[RECORDING_PEAK] = counts->peak_bytes,
		[RECORDING_PERSISTENT] = counts->live_bytes,
		[RECORDING_TRANSIENT] = counts->bytes - counts->live_bytes,
		[RECORDING_TOTAL] = counts->bytes,
		[RECORDING_ALLOCATIONS] = counts->allocations,
		[RECORDING_TEMPORARY] = counts->temporary,
	};
	return (int64_t)values[order];
}

const char *recording_module_name(const struct recording_places *places, uint32_t module)
{
	const char *path = module == RECORDING_NONE ? NULL
						    : places->modules.items[module].path;
	const char *slash = path ? strrchr(path, '/') : NULL;
	return slash ? slash + 1 : path;
}

void recording_put_function(struct str *out, const struct recording_places *places,
			    uint32_t function)
{
	const struct recording_function *known = &places->functions.items[function];
	const char *module = recording_module_name(places, known->module);
	if (known->name)
		str_puts(out, known->name);
	else
		str_printf(out, "???%s%s", module ? " in " : "", module ? module : "");
}

static void texts_deinit(struct recording_text_vec *texts)
{
	for (size_t i = 0; i < texts->nr; i++)
		free(texts->items[i]);
	recording_text_vec_deinit(texts);
}

void recording_places_deinit(struct recording_places *places)
{
	for (size_t i = 0; i < places->modules.nr; i++) {
		free(places->modules.items[i].path);
		free(places->modules.items[i].build_id);
		free(places->modules.items[i].why_not);
	}
	for (size_t i = 0; i < places->functions.nr; i++)
		free(places->functions.items[i].name);
	recording_module_vec_deinit(&places->modules);
	recording_function_vec_deinit(&places->functions);
	recording_frame_vec_deinit(&places->frames);
	texts_deinit(&places->files);
}

void recording_row_deinit(struct recording_row *row)
{
	free(row->label);
	recording_number_vec_deinit(&row->frames);
}

void recording_rows_deinit(struct recording_row_vec *rows)
{
	for (size_t i = 0; i < rows->nr; i++)
		recording_row_deinit(&rows->items[i]);
	recording_row_vec_deinit(rows);
}

static void free_sentences(char **sentences)
{
	for (char **sentence = sentences; sentence && *sentence; sentence++)
		free(*sentence);
	free(sentences);
}

void recording_report_destroy(struct recording_report *report)
{
	if (!report)
		return;
	for (size_t i = 0; i < report->marks.nr; i++)
		free(report->marks.items[i].name);
	for (size_t i = 0; i < report->large.nr; i++)
		recording_number_vec_deinit(&report->large.items[i].frames);
	for (size_t i = 0; i < report->history.events.nr; i++)
		recording_number_vec_deinit(&report->history.events.items[i].frames);
	recording_event_vec_deinit(&report->history.events);
	recording_rows_deinit(&report->rows);
	recording_mark_vec_deinit(&report->marks);
	for (size_t i = 0; i < report->executions.nr; i++)
		free(report->executions.items[i].program);
	recording_execution_vec_deinit(&report->executions);
	recording_large_vec_deinit(&report->large);
	recording_point_vec_deinit(&report->timeline);
	recording_node_vec_deinit(&report->tree);
	recording_places_deinit(&report->places);
	free_sentences(report->warnings);
	free(report->target);
	free(report->file);
	free(report);
}

void recording_diff_destroy(struct recording_diff *diff)
{
	if (!diff)
		return;
	for (size_t i = 0; i < diff->changes.nr; i++) {
		free(diff->changes.items[i].label);
		recording_number_vec_deinit(&diff->changes.items[i].frames);
	}
	recording_change_vec_deinit(&diff->changes);
	recording_report_destroy(diff->before);
	recording_report_destroy(diff->after);
	free(diff);
}
