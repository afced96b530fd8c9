/*
 * rules: a file of suppressions (doc/suppressions.md) that is made from a report, one rule
 * for each finding, known by its kind and fingerprint.
 */
#include <inttypes.h>
#include <string.h>

#include "report/layout.h"
#include "report/renderers_priv.h"

static void put_rule(struct str *out, const struct leak_finding *finding)
{
	str_printf(out, "[%s ", leak_kind_names[finding->kind]);
	layout_escape(out, finding->type ? finding->type : "block", REPORT_ASCII);
	str_puts(out, "]\n# ");
	layout_plural(out, finding->blocks, "block");
	str_printf(out, ", %" PRIu64 " bytes", finding->bytes);
	if (leak_finding_has_retained(finding))
		str_printf(out, "; with all that hangs on them %" PRIu64 " bytes",
			   finding->retained_bytes);
	str_printf(out, "\nkind        = %s\nfingerprint = 0x%016" PRIx64 "\n",
		   leak_kind_names[finding->kind], finding->fingerprint);
}

void rules_put(struct str *out, const struct leaks_report *report)
{
	const char *between = "";
	for (size_t i = 0; i < report->findings.nr; i++) {
		if (report->findings.items[i].kind == LEAK_SUPPRESSED)
			continue;
		str_puts(out, between);
		put_rule(out, &report->findings.items[i]);
		between = "\n";
	}
}

static void put_comment(struct str *out, const char *text)
{
	while (*text) {
		size_t length = strcspn(text, "\n");
		str_puts(out, length ? "# " : "#");
		str_append(out, text, length);
		str_puts(out, "\n");
		text += length + (text[length] == '\n');
	}
}

struct str rules_file(struct str *page, const struct leaks_report *leaks)
{
	struct str file = { .failed = page->failed };
	put_comment(&file, str_text(page));
	if (leaks) {
		str_puts(&file, leaks->findings.nr ? "\n" : "");
		rules_put(&file, leaks);
	}
	str_deinit(page);
	return file;
}
