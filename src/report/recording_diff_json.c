/* recording_diff_json: what grew from one trace to another; doc/diff.schema.json. */
#include "report/renderers_priv.h"

#include "report/json_parts_priv.h"
#include "report/recording_parts_priv.h"

static void put_trace(struct json_writer *json, const char *key,
		      const struct recording_report *report)
{
	json_open_object(json, key);
	json_target(json, report->pid, report->target);
	json_string(json, "file", report->file);
	json_bool(json, "cut", report->is_cut);
	json_integer(json, "allocations", report->summary.allocations);
	json_integer(json, "peak_bytes", report->summary.peak_bytes);
	json_signed(json, "live_bytes", (int64_t)report->summary.live_bytes);
	json_integer(json, "temporary", report->summary.temporary);
	json_integer(json, "lost_events", report->summary.lost_events);
	json_sentences(json, "warnings", report->warnings);
	json_close(json);
}

struct str recording_diff_json(const struct recording_diff *diff,
			       const struct report_options *options)
{
	struct json_writer json = { 0 };
	(void)options;
	json_open_object(&json, NULL);
	json_string(&json, "schema", "seep.diff/1");
	put_trace(&json, "before", diff->before);
	put_trace(&json, "after", diff->after);
	json_string(&json, "group_by", recording_group_names[diff->after->group]);
	json_string(&json, "sort", recording_order_names[diff->after->order]);
	json_open_array(&json, "rows");
	for (size_t i = 0; i < diff->changes.nr; i++) {
		const struct recording_change *change = &diff->changes.items[i];
		const struct recording_report *of = change->in_after ? diff->after
								     : diff->before;
		json_open_object(&json, NULL);
		json_string(&json, "label", change->label);
		recording_json_counts(&json, "before", &change->before);
		recording_json_counts(&json, "after", &change->after);
		recording_json_stack(&json, &of->places, &change->frames);
		json_close(&json);
	}
	json_close(&json);
	json_integer(&json, "rows_left_out", diff->changes_left_out);
	json_integer(&json, "unchanged", diff->unchanged);
	json_close(&json);
	return json.out;
}
