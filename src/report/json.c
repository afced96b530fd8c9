/*
 * json: reports for programs. The schemas in doc/ describe them; a change that is more than a
 * new key is a new schema version.
 */
#include "report/renderers_priv.h"

#include "report/json_leaks_priv.h"
#include "report/json_parts_priv.h"
#include "report/stack_parts_priv.h"

static void json_leaks_target(struct json_writer *json, const struct leaks_report *report)
{
	json_open_object(json, "target");
	json_target(json, report->pid, report->target ? report->target : "");
	json_string(json, "file", report->file);
	json_string(json, "allocator", report->allocator);
	json_close(json);
}

static void json_count(struct json_writer *json, const char *key, struct leak_count count)
{
	json_open_object(json, key);
	json_integer(json, "blocks", count.blocks);
	json_integer(json, "bytes", count.bytes);
	json_close(json);
}

static void json_kinds(struct json_writer *json, const struct leak_count *kinds)
{
	json_open_object(json, "kinds");
	for (int kind = 0; kind < LEAK_NR_KINDS; kind++)
		json_count(json, leak_kind_names[kind], kinds[kind]);
	json_close(json);
}

static void json_types(struct json_writer *json, const struct leaks_types *types)
{
	if (!types->asked) {
		json_null(json, "types");
		return;
	}
	json_open_object(json, "types");
	json_count(json, "known", types->known);
	json_count(json, "all", types->all);
	json_close(json);
}

void json_leaks_summary(struct json_writer *json, const struct leaks_report *report)
{
	json_kinds(json, report->kinds);
	json_count(json, "noise", report->noise);
	json_number(json, "coverage_percent", report->coverage_percent, 6);
	json_integer(json, "heap_bytes", report->heap_bytes);
	json_integer(json, "parsed_bytes", report->parsed_bytes);
	json_number(json, "pause_ms", report->pause_ms, 3);
	json_integer(json, "looks", report->looks);
	json_string(json, "freeze",
		    report->file     ? NULL
		    : report->copied ? "copy"
				     : "stop");
	json_string(json, "why_stopped", report->why_stopped);
	if (report->copied)
		json_integer(json, "copy_bytes", report->copy_bytes);
	else
		json_null(json, "copy_bytes");
	json_integer(json, "threads", report->threads);
	json_integer(json, "roots", report->roots);
	json_integer(json, "edges", report->edges);
	json_bool(json, "strict", report->strict);
	json_types(json, &report->types);
}

static void json_examples(struct json_writer *json, const struct leak_finding *finding)
{
	json_open_array(json, "examples");
	for (size_t i = 0; i < finding->examples.nr; i++) {
		const struct leak_example *example = &finding->examples.items[i];
		json_open_object(json, NULL);
		json_hex(json, "address", example->address, 1);
		json_integer(json, "size", example->size);
		json_string(json, "last_holder", example->last_holder);
		json_close(json);
	}
	json_close(json);
}

/* What an earlier look did not see of a finding. */
static void json_change(struct json_writer *json, const struct leak_finding *finding)
{
	json_string(json, "change", leak_change_names[finding->change]);
	if (finding->change == LEAK_NOT_COMPARED) {
		json_null(json, "new_blocks");
		json_null(json, "new_bytes");
	} else {
		json_integer(json, "new_blocks", finding->new_blocks);
		json_integer(json, "new_bytes", finding->new_bytes);
	}
}

void json_leaks_finding(struct json_writer *json, const struct leak_finding *finding)
{
	json_open_object(json, NULL);
	json_string(json, "kind", leak_kind_names[finding->kind]);
	json_integer(json, "blocks", finding->blocks);
	json_integer(json, "bytes", finding->bytes);
	if (leak_finding_has_retained(finding)) {
		json_integer(json, "retained_bytes", finding->retained_bytes);
		json_integer(json, "retained_blocks", finding->retained_blocks);
	} else {
		json_null(json, "retained_bytes");
		json_null(json, "retained_blocks");
	}
	json_integer(json, "cycles", finding->cycles);
	json_string(json, "type", finding->type);
	json_string(json, "root", finding->root);
	stack_json(json, &finding->stack);
	json_hex(json, "fingerprint", finding->fingerprint, 16);
	json_change(json, finding);
	json_examples(json, finding);
	json_close(json);
}

static void json_date(struct json_writer *json, const char *key, unsigned date)
{
	struct str text = { 0 };
	str_printf(&text, "%04u-%02u-%02u", date / 10000, date / 100 % 100, date % 100);
	json_string(json, key, date ? str_text(&text) : NULL);
	json->out.failed |= text.failed;
	str_deinit(&text);
}

static void json_suppression(struct json_writer *json,
			     const struct leak_suppression *suppression)
{
	json_open_object(json, NULL);
	json_string(json, "file", suppression->file);
	if (suppression->file)
		json_integer(json, "line", suppression->line);
	else
		json_null(json, "line");
	json_string(json, "name", suppression->name);
	json_string(json, "state", leak_suppression_state_names[suppression->state]);
	json_integer(json, "blocks", suppression->matched.blocks);
	json_integer(json, "bytes", suppression->matched.bytes);
	json_date(json, "expires", suppression->expires);
	json_string(json, "reason", suppression->reason);
	json_close(json);
}

void json_leaks_suppressions(struct json_writer *json, const struct leaks_report *report,
			     unsigned flags)
{
	json_open_array(json, "suppressions");
	for (size_t i = 0; report && i < report->suppressions.nr; i++)
		json_suppression(json, &report->suppressions.items[i]);
	json_close(json);
	struct str rules = { 0 };
	if (report)
		rules_put(&rules, report);
	json_string(json, "generated_suppressions",
		    flags & REPORT_RULES ? str_text(&rules) : NULL);
	json->out.failed |= rules.failed;
	str_deinit(&rules);
}

void json_leaks_diff(struct json_writer *json, const struct leaks_diff *diff)
{
	if (!diff) {
		json_null(json, "diff");
		return;
	}
	json_open_object(json, "diff");
	json_string(json, "from", diff->from);
	json_bool(json, "same_process", diff->same_process);
	json_kinds(json, diff->kinds);
	json_integer(json, "unchanged", diff->unchanged);
	json_open_array(json, "gone");
	for (size_t i = 0; i < diff->gone.nr; i++)
		json_leaks_finding(json, &diff->gone.items[i]);
	json_close(json);
	json_close(json);
}

struct str leaks_json(const struct leaks_report *report,
		      const struct report_options *options)
{
	struct json_writer json = { .one_line = options->flags & REPORT_BRIEF };
	json_open_object(&json, NULL);
	json_string(&json, "schema", "seep.leaks/1");
	json_leaks_target(&json, report);
	json_open_object(&json, "summary");
	json_leaks_summary(&json, report);
	json_close(&json);
	json_open_array(&json, "findings");
	for (size_t i = 0; i < report->findings.nr; i++)
		json_leaks_finding(&json, &report->findings.items[i]);
	json_close(&json);
	json_integer(&json, "findings_left_out", report->findings_left_out);
	json_leaks_diff(&json, report->diff);
	json_leaks_suppressions(&json, report, options->flags);
	json_sentences(&json, "warnings", report->warnings);
	json_sentences(&json, "notes", report->notes);
	json_close(&json);
	return json.out;
}

static void json_check(struct json_writer *json, const struct doctor_check *check)
{
	json_open_object(json, NULL);
	json_string(json, "subject", check->subject);
	json_string(json, "state", doctor_state_names[check->state]);
	json_string(json, "finding", check->finding);
	json_string(json, "remedy", check->remedy);
	json_close(json);
}

static void json_doctor_target(struct json_writer *json,
			       const struct doctor_report *report)
{
	if (!report->pid) {
		json_null(json, "target");
		return;
	}
	json_open_object(json, "target");
	json_target(json, report->pid, report->target ? report->target : "");
	json_close(json);
}

struct str doctor_json(const struct doctor_report *report,
		       const struct report_options *options)
{
	(void)options;
	struct json_writer json = { 0 };
	json_open_object(&json, NULL);
	json_string(&json, "schema", "seep.doctor/1");
	json_doctor_target(&json, report);
	json_string(&json, "state", doctor_state_names[doctor_report_state(report)]);
	json_open_array(&json, "checks");
	for (size_t i = 0; i < report->checks.nr; i++)
		json_check(&json, &report->checks.items[i]);
	json_close(&json);
	json_close(&json);
	return json.out;
}

struct str core_json(const struct core_report *report,
		     const struct report_options *options)
{
	(void)options;
	struct json_writer json = { 0 };
	json_open_object(&json, NULL);
	json_string(&json, "schema", "seep.core/1");
	json_open_object(&json, "target");
	json_target(&json, report->pid, report->target ? report->target : "");
	json_close(&json);
	json_string(&json, "file", report->path);
	json_integer(&json, "file_bytes", report->file_bytes);
	json_integer(&json, "memory_bytes", report->memory_bytes);
	json_integer(&json, "left_out_bytes", report->left_out_bytes);
	json_string(&json, "freeze", report->copied ? "copy" : "stop");
	json_integer(&json, "threads", report->threads);
	json_number(&json, "pause_ms", report->pause_ms, 3);
	json_close(&json);
	return json.out;
}

struct str snapshot_json(const struct snapshot_report *report,
			 const struct report_options *options)
{
	(void)options;
	struct json_writer json = { 0 };
	json_open_object(&json, NULL);
	json_string(&json, "schema", "seep.snapshot/1");
	json_open_object(&json, "target");
	json_target(&json, report->pid, report->target ? report->target : "");
	json_string(&json, "allocator", report->allocator);
	json_close(&json);
	json_string(&json, "file", report->path);
	json_integer(&json, "file_bytes", report->file_bytes);
	json_integer(&json, "blocks", report->blocks);
	json_integer(&json, "block_bytes", report->block_bytes);
	json_integer(&json, "edges", report->edges);
	json_integer(&json, "roots", report->roots);
	json_integer(&json, "contents_bytes", report->contents_bytes);
	json_integer(&json, "heap_bytes", report->heap_bytes);
	json_number(&json, "coverage_percent", report->coverage_percent, 6);
	json_number(&json, "pause_ms", report->pause_ms, 3);
	json_integer(&json, "looks", report->looks);
	json_close(&json);
	return json.out;
}
