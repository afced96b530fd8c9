/* report: the renderer table; see report.h. */
#include "report/report.h"

#include <string.h>

#include "report/renderers_priv.h"

static const struct report_renderer renderers[] = {
	{ "text", leaks_text, doctor_text, core_text, snapshot_text, recording_text,
	  recording_diff_text, run_text, vm_text, why_text, heap_text },
	{ "json", leaks_json, doctor_json, core_json, snapshot_json, recording_json,
	  recording_diff_json, run_json, vm_json, why_json, heap_json },
	{ .name = "junit", .run = run_junit },
	{ .name = "sarif", .run = run_sarif },
	{ .name = "csv", .recording = recording_csv },
	{ .name = "folded", .recording = recording_folded },
	{ .name = "pprof", .recording = recording_pprof },
	{ .name = "flamegraph.svg", .recording = recording_svg },
	{ .name = "html", .recording = recording_html },
};

const struct report_renderer *report_renderer(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(renderers); i++)
		if (!strcmp(renderers[i].name, name))
			return &renderers[i];
	return NULL;
}
