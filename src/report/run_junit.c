/*
 * run_junit: leaks of a run in the XML of JUnit's test reports, which servers that build and test
 * read. Each leak is a test that failed; without any, there is one that passed.
 */
#include <inttypes.h>

#include "report/layout.h"
#include "report/markup_priv.h"
#include "report/renderers_priv.h"
#include "report/stack_parts_priv.h"

static bool is_leak(const struct leak_finding *finding)
{
	return finding->kind == LEAK_DEFINITE || finding->kind == LEAK_POSSIBLE;
}

static uint64_t nr_leaks(const struct run_report *report)
{
	uint64_t nr = 0;
	for (size_t i = 0; report->leaks && i < report->leaks->findings.nr; i++)
		nr += is_leak(&report->leaks->findings.items[i]);
	return nr;
}

/* "12 blocks (3.4 kB) definitely lost in parse (reader.c:44)" */
static void put_words(struct str *out, const struct leak_finding *finding)
{
	const struct stack_frame *site = call_stack_site(&finding->stack);
	layout_plural(out, finding->blocks, "block");
	str_puts(out, " (");
	layout_bytes(out, finding->bytes);
	str_puts(out, finding->kind == LEAK_DEFINITE ? ") definitely lost"
						     : ") possibly lost");
	if (!site)
		return;
	str_puts(out, " in ");
	stack_put_frame(out, site, 0);
}

static void put_failure(struct str *out, const struct leak_finding *finding)
{
	struct str words = { 0 }, stack = { 0 };
	put_words(&words, finding);
	for (size_t i = 0; i < finding->stack.frames.nr; i++) {
		stack_put_frame(&stack, &finding->stack.frames.items[i], REPORT_VERBOSE);
		str_puts(&stack, "\n");
	}
	str_printf(out,
		   "    <testcase classname=\"seep.%s\" name=\"leak 0x%016" PRIx64
		   "\">\n      <failure type=\"leak\" message=\"",
		   leak_kind_names[finding->kind], finding->fingerprint);
	markup_put_text(out, str_text(&words));
	str_puts(out, "\">");
	markup_put_text(out, str_text(&stack));
	str_puts(out, "</failure>\n    </testcase>\n");
	out->failed |= words.failed || stack.failed;
	str_deinit(&words);
	str_deinit(&stack);
}

static void put_case(struct str *out, const struct run_report *report)
{
	str_puts(out, "    <testcase classname=\"seep\" name=\"no leaks\"");
	if (report->leaks)
		str_puts(out, "/>\n");
	else
		str_puts(out, "><skipped message=\"leaks are not known\"/></testcase>\n");
}

struct str run_junit(const struct run_report *report,
		     const struct report_options *options)
{
	struct str out = { 0 };
	uint64_t nr = nr_leaks(report);
	(void)options;
	str_puts(&out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n"
		       "  <testsuite name=\"seep run ");
	markup_put_text(&out, report->target);
	str_printf(&out,
		   "\" tests=\"%" PRIu64 "\" failures=\"%" PRIu64 "\" time=\"%.3f\">\n",
		   nr ? nr : 1, nr, report->seconds);
	for (size_t i = 0; nr && i < report->leaks->findings.nr; i++)
		if (is_leak(&report->leaks->findings.items[i]))
			put_failure(&out, &report->leaks->findings.items[i]);
	if (!nr)
		put_case(&out, report);
	str_puts(&out, "  </testsuite>\n</testsuites>\n");
	return out;
}
