/*
 * run_sarif: leaks of a run in SARIF 2.1.0 (OASIS, "Static Analysis Results Interchange Format"), which
 * services that show findings beside source code read.
 */
#include <inttypes.h>

#include "report/json_writer_priv.h"
#include "report/layout.h"
#include "report/renderers_priv.h"
#include "report/stack_parts_priv.h"

static const struct rule {
	const char *id, *text, *level;
} rules[LEAK_NR_KINDS] = {
	[LEAK_DEFINITE] = { "leak/definite", "Memory that nothing points to any more",
			    "error" },
	[LEAK_INDIRECT] = { "leak/indirect", "Memory that only lost memory points to",
			    "note" },
	[LEAK_POSSIBLE] = { "leak/possible", "Memory that only doubtful pointers lead to",
			    "warning" },
	[LEAK_REACHABLE] = { "leak/reachable", "Memory that was still held at the end",
			     "note" },
	[LEAK_SUPPRESSED] = { "leak/suppressed", "A leak that is known", "none" },
};

static void put_text(struct json_writer *json, const char *key, const char *text)
{
	json_open_object(json, key);
	json_string(json, "text", text);
	json_close(json);
}

static void put_rules(struct json_writer *json)
{
	json_open_array(json, "rules");
	for (size_t i = 0; i < LEAK_NR_KINDS; i++) {
		json_open_object(json, NULL);
		json_string(json, "id", rules[i].id);
		put_text(json, "shortDescription", rules[i].text);
		json_close(json);
	}
	json_close(json);
}

static void put_message(struct json_writer *json, const struct leak_finding *finding)
{
	struct str text = { 0 };
	const struct stack_frame *site = call_stack_site(&finding->stack);
	layout_plural(&text, finding->blocks, "block");
	str_puts(&text, " (");
	layout_bytes(&text, finding->bytes);
	str_puts(&text, finding->kind == LEAK_DEFINITE ? ") lost" : ") possibly lost");
	if (site && site->function)
		str_printf(&text, ", allocated in %s", site->function);
	put_text(json, "message", str_text(&text));
	json->out.failed |= text.failed;
	str_deinit(&text);
}

/* A path as a URI: what is not plain is escaped (RFC 3986). */
static void put_uri(struct json_writer *json, const char *path)
{
	static const char hex[] = "0123456789ABCDEF";
	struct str uri = { 0 };
	if (path[0] == '/')
		str_puts(&uri, "file://");
	for (const unsigned char *c = (const unsigned char *)path; *c; c++) {
		bool is_plain = (*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z') ||
				(*c >= '0' && *c <= '9') || *c == '/' || *c == '.' ||
				*c == '-' || *c == '_' || *c == '~';
		char escape[3] = { '%', hex[*c >> 4], hex[*c & 15] };
		str_append(&uri, is_plain ? (const char *)c : escape, is_plain ? 1 : 3);
	}
	json_string(json, "uri", str_text(&uri));
	json->out.failed |= uri.failed;
	str_deinit(&uri);
}

static void put_location(struct json_writer *json, const char *key,
			 const struct stack_frame *frame)
{
	json_open_object(json, key);
	if (frame->file) {
		json_open_object(json, "physicalLocation");
		json_open_object(json, "artifactLocation");
		put_uri(json, frame->file);
		json_close(json);
		if (frame->line) {
			json_open_object(json, "region");
			json_integer(json, "startLine", frame->line);
			json_close(json);
		}
		json_close(json);
	}
	struct str text = { 0 };
	stack_put_frame(&text, frame, REPORT_VERBOSE);
	put_text(json, "message", str_text(&text));
	json->out.failed |= text.failed;
	str_deinit(&text);
	json_close(json);
}

static void put_stack(struct json_writer *json, const struct call_stack *stack)
{
	json_open_array(json, "stacks");
	json_open_object(json, NULL);
	put_text(json, "message", "the call stack that allocated it");
	json_open_array(json, "frames");
	for (size_t i = 0; i < stack->frames.nr; i++) {
		json_open_object(json, NULL);
		put_location(json, "location", &stack->frames.items[i]);
		json_close(json);
	}
	json_close(json);
	json_close(json);
	json_close(json);
}

static void put_result(struct json_writer *json, const struct leak_finding *finding)
{
	const struct rule *rule = &rules[finding->kind];
	const struct stack_frame *site = call_stack_site(&finding->stack);
	json_open_object(json, NULL);
	json_string(json, "ruleId", rule->id);
	json_integer(json, "ruleIndex", finding->kind);
	json_string(json, "level", rule->level);
	put_message(json, finding);
	json_open_array(json, "locations");
	if (site)
		put_location(json, NULL, site);
	json_close(json);
	if (site)
		put_stack(json, &finding->stack);
	json_open_object(json, "partialFingerprints");
	json_hex(json, "seep/v1", finding->fingerprint, 16);
	json_close(json);
	json_close(json);
}

struct str run_sarif(const struct run_report *report,
		     const struct report_options *options)
{
	struct json_writer json = { 0 };
	(void)options;
	json_open_object(&json, NULL);
	json_string(&json, "$schema", "https://json.schemastore.org/sarif-2.1.0.json");
	json_string(&json, "version", "2.1.0");
	json_open_array(&json, "runs");
	json_open_object(&json, NULL);
	json_open_object(&json, "tool");
	json_open_object(&json, "driver");
	json_string(&json, "name", "seep");
	json_string(&json, "version", SEEP_VERSION);
	put_rules(&json);
	json_close(&json);
	json_close(&json);
	json_open_array(&json, "results");
	for (size_t i = 0; report->leaks && i < report->leaks->findings.nr; i++)
		put_result(&json, &report->leaks->findings.items[i]);
	json_close(&json);
	json_close(&json);
	json_close(&json);
	json_close(&json);
	return json.out;
}
