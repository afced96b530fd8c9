/* baseline_json: a baseline out of the findings of a report in JSON; see baseline.h. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "analyse/baseline.h"

static struct error *bad_report(const char *path, const char *what)
{
	return error_remedy(error_create(ERROR_USAGE, "%s: %s", path, what),
			    "make one with: seep run --json -o FILE -- COMMAND");
}

static uint64_t integer_of(const json_t *finding, const char *key)
{
	json_int_t value = json_integer_value(json_object_get(finding, key));
	return value > 0 ? (uint64_t)value : 0;
}

static bool kind_of(const json_t *finding, enum leak_kind *kind)
{
	const char *name = json_string_value(json_object_get(finding, "kind"));
	for (int i = 0; name && i < LEAK_NR_KINDS; i++) {
		*kind = (enum leak_kind)i;
		if (strcmp(name, leak_kind_names[i]) == 0)
			return true;
	}
	return false;
}

static struct error *add_finding(struct baseline *baseline, const json_t *finding)
{
	const char *print = json_string_value(json_object_get(finding, "fingerprint"));
	const char *type = json_string_value(json_object_get(finding, "type"));
	struct leak_finding known = {
		.blocks = integer_of(finding, "blocks"),
		.bytes = integer_of(finding, "bytes"),
		.retained_blocks = integer_of(finding, "retained_blocks"),
		.retained_bytes = integer_of(finding, "retained_bytes"),
	};
	if (!print || !kind_of(finding, &known.kind))
		return bad_report(baseline->from, "a finding has no fingerprint or kind");
	known.fingerprint = strtoull(print, NULL, 16);
	known.type = type ? strdup(type) : NULL;
	if ((known.type || !type) && leak_finding_vec_push(&baseline->findings, known))
		return NULL;
	free(known.type);
	return error_no_memory();
}

static struct error *take_findings(struct baseline *baseline, const json_t *report)
{
	const char *schema = json_string_value(json_object_get(report, "schema"));
	const json_t *findings = json_object_get(report, "findings");
	struct error *error = NULL;
	if (!schema || strncmp(schema, "seep.", 5) != 0 || !json_is_array(findings))
		return bad_report(baseline->from, "it is no report of seep's in JSON");
	if (integer_of(report, "findings_left_out"))
		return bad_report(baseline->from, "it does not list all findings");
	for (size_t i = 0; !error && i < json_array_size(findings); i++)
		error = add_finding(baseline, json_array_get(findings, i));
	baseline_sort(baseline);
	baseline->live_bytes =
		integer_of(json_object_get(report, "summary"), "live_bytes");
	return error;
}

struct error *baseline_read(const char *path, struct baseline **result)
{
	json_error_t trouble;
	struct error *error = baseline_create(path, result);
	if (error)
		return error;
	json_t *report = json_load_file(path, JSON_REJECT_DUPLICATES, &trouble);
	error = report ? take_findings(*result, report) : bad_report(path, trouble.text);
	json_decref(report);
	if (error) {
		baseline_destroy(*result);
		*result = NULL;
	}
	return error;
}
