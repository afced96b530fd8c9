/* run_json: a run for programs, schema seep.run/1: that of leaks with stacks and totals. */
#include <sys/wait.h>

#include "report/json_leaks_priv.h"
#include "report/json_parts_priv.h"
#include "report/renderers_priv.h"
#include "report/stack_parts_priv.h"

static void json_status(struct json_writer *json, int status)
{
	json_open_object(json, "status");
	if (status != -1 && WIFEXITED(status))
		json_integer(json, "exit", (uint64_t)WEXITSTATUS(status));
	else
		json_null(json, "exit");
	if (status != -1 && WIFSIGNALED(status))
		json_integer(json, "signal", (uint64_t)WTERMSIG(status));
	else
		json_null(json, "signal");
	json_close(json);
}

static void json_summary(struct json_writer *json, const struct run_report *report)
{
	json_open_object(json, "summary");
	json_integer(json, "peak_bytes", report->peak_bytes);
	json_integer(json, "allocations", report->allocations);
	json_integer(json, "frees", report->frees);
	json_integer(json, "temporary", report->temporary);
	json_integer(json, "total_bytes", report->bytes);
	json_integer(json, "live_bytes", report->live_bytes);
	json_integer(json, "live_blocks", report->live_blocks);
	json_integer(json, "lost_events", report->lost_events);
	json_number(json, "seconds", report->seconds, 3);
	if (report->leaks)
		json_leaks_summary(json, report->leaks);
	else
		json_null(json, "kinds");
	json_close(json);
}

static void json_site(struct json_writer *json, const struct run_site *site)
{
	json_open_object(json, NULL);
	json_integer(json, "allocations", site->allocations);
	json_integer(json, "total_bytes", site->bytes);
	json_integer(json, "peak_blocks", site->peak_blocks);
	json_integer(json, "peak_bytes", site->peak_bytes);
	json_integer(json, "live_blocks", site->live_blocks);
	json_integer(json, "live_bytes", site->live_bytes);
	json_integer(json, "temporary", site->temporary);
	stack_json(json, &site->stack);
	json_close(json);
}

static void json_sites(struct json_writer *json, const char *key,
		       const struct run_site_vec *sites)
{
	json_open_array(json, key);
	for (size_t i = 0; i < sites->nr; i++)
		json_site(json, &sites->items[i]);
	json_close(json);
}

static void json_warnings(struct json_writer *json, const struct run_report *report)
{
	json_open_array(json, "warnings");
	for (size_t i = 0; i < report->warnings.nr; i++)
		json_string(json, NULL, report->warnings.items[i]);
	char **more = report->leaks ? report->leaks->warnings : NULL;
	for (; more && *more; more++)
		json_string(json, NULL, *more);
	json_close(json);
}

struct str run_json(const struct run_report *report, const struct report_options *options)
{
	struct json_writer json = { 0 };
	json_open_object(&json, NULL);
	json_string(&json, "schema", "seep.run/1");
	json_open_object(&json, "target");
	json_target(&json, report->pid, report->target);
	json_string(&json, "allocator", report->leaks ? report->leaks->allocator : NULL);
	json_close(&json);
	json_status(&json, report->command_status);
	json_summary(&json, report);
	json_open_array(&json, "findings");
	for (size_t i = 0; report->leaks && i < report->leaks->findings.nr; i++)
		json_leaks_finding(&json, &report->leaks->findings.items[i]);
	json_close(&json);
	json_integer(&json, "findings_left_out",
		     report->leaks ? report->leaks->findings_left_out : 0);
	json_leaks_diff(&json, report->leaks ? report->leaks->diff : NULL);
	json_leaks_suppressions(&json, report->leaks, options->flags);
	json_sites(&json, "by_peak", &report->by_peak);
	json_sites(&json, "by_total", &report->by_total);
	json_warnings(&json, report);
	json_sentences(&json, "notes", report->leaks ? report->leaks->notes : NULL);
	json_close(&json);
	return json.out;
}
