/* recording_html: a page of one file, with a flame graph and a timeline to look around in. */
#include "report/renderers_priv.h"

#include <stdlib.h>
#include <string.h>

#include "report/json_writer_priv.h"
#include "report/page_priv.h"
#include "report/recording_parts_priv.h"
#include "report/recording_tree_priv.h"

#define PLACEHOLDER "@DATA@"

static void put_summary(struct json_writer *json, const struct recording_summary *summary)
{
	json_open_object(json, "summary");
	json_integer(json, "allocations", summary->allocations);
	json_integer(json, "peak_bytes", summary->peak_bytes);
	json_number(json, "peak_s", (double)summary->peak_us / 1e6, 6);
	json_signed(json, "live_bytes", (int64_t)summary->live_bytes);
	json_integer(json, "temporary", summary->temporary);
	json_close(json);
	recording_json_lifetimes(json, "lifetimes", summary->lifetimes);
	recording_json_lifetime_classes(json);
}

static void put_timeline(struct json_writer *json, const struct recording_report *report)
{
	const struct recording_point_vec *points = &report->timeline;
	json_open_object(json, "timeline");
	json_number(json, "step_s", (double)report->point_us / 1e6, 6);
	json_open_array(json, "peak_bytes");
	for (size_t i = 0; i < points->nr; i++)
		json_integer(json, NULL, points->items[i].peak_bytes);
	json_close(json);
	json_open_array(json, "allocations");
	for (size_t i = 0; i < points->nr; i++)
		json_integer(json, NULL, points->items[i].allocations);
	json_close(json);
	json_close(json);
	json_open_array(json, "marks");
	for (size_t i = 0; i < report->marks.nr; i++) {
		json_open_object(json, NULL);
		json_string(json, "name", report->marks.items[i].name);
		json_number(json, "time_s", (double)report->marks.items[i].time_us / 1e6,
			    6);
		json_close(json);
	}
	for (size_t i = 0; i < report->executions.nr; i++) {
		json_open_object(json, NULL);
		json_string(json, "name", report->executions.items[i].program);
		json_number(json, "time_s",
			    (double)report->executions.items[i].time_us / 1e6, 6);
		json_close(json);
	}
	json_close(json);
}

/* Function 0 is the program as a whole. */
static void put_functions(struct json_writer *json, const struct recording_report *report)
{
	json_open_array(json, "functions");
	json_string(json, NULL, report->target);
	for (uint32_t i = 0; i < report->places.functions.nr; i++) {
		struct str name = { 0 };
		recording_put_function(&name, &report->places, i);
		json_string(json, NULL, str_text(&name));
		json->out.failed |= name.failed;
		str_deinit(&name);
	}
	json_close(json);
}

static void put_tree(struct json_writer *json, const struct recording_report *report)
{
	const struct recording_node_vec *tree = &report->tree;
	json_open_array(json, "parents");
	for (size_t i = 0; i < tree->nr; i++)
		json_integer(json, NULL, tree->items[i].parent);
	json_close(json);
	json_open_array(json, "names");
	for (size_t i = 0; i < tree->nr; i++)
		json_integer(
			json, NULL,
			i ? report->places.frames.items[tree->items[i].frame].function + 1
			  : 0);
	json_close(json);
	json_open_object(json, "values");
	for (int order = 0; order < RECORDING_NR_ORDERS; order++) {
		uint64_t *values = recording_tree_values(report, order);
		json->out.failed |= !values;
		json_open_array(json, recording_order_names[order]);
		for (size_t i = 0; values && i < tree->nr; i++)
			json_integer(json, NULL, values[i]);
		json_close(json);
		free(values);
	}
	json_close(json);
}

/* Nothing in it may look like the end of a script. */
static void put_data(struct str *out, const struct recording_report *report)
{
	struct json_writer json = { .one_line = true };
	json_open_object(&json, NULL);
	json_string(&json, "target", report->target);
	json_string(&json, "order", recording_order_names[report->order]);
	json_number(&json, "from_s", (double)report->from_us / 1e6, 6);
	put_summary(&json, &report->summary);
	put_timeline(&json, report);
	put_functions(&json, report);
	put_tree(&json, report);
	json_close(&json);
	for (const char *at = str_text(&json.out); *at;) {
		size_t length = strcspn(at, "<");
		str_append(out, at, length);
		at += length;
		if (*at) {
			str_puts(out, "\\u003c");
			at++;
		}
	}
	out->failed |= json.out.failed;
	str_deinit(&json.out);
}

struct str recording_html(const struct recording_report *report,
			  const struct report_options *options)
{
	const char *place = strstr(report_page, PLACEHOLDER);
	struct str out = { 0 };
	(void)options;
	str_append(&out, report_page, (size_t)(place - report_page));
	put_data(&out, report);
	str_puts(&out, place + strlen(PLACEHOLDER));
	return out;
}
