/* run_text: what a run leaked, then where it allocated most; for people. */
#include "report/renderers_priv.h"

#include <inttypes.h>

#include "report/layout.h"
#include "report/stack_parts_priv.h"

struct run_page {
	struct str out;
	const struct run_report *report;
	const struct report_options *options;
	unsigned flags, width;
};

static void put_line(struct run_page *page, struct str *line, unsigned indent)
{
	struct str visible = { 0 };
	layout_escape(&visible, str_text(line), page->flags);
	layout_wrap(&page->out, str_text(&visible),
		    (struct layout_box){ indent, page->width, indent });
	page->out.failed |= line->failed || visible.failed;
	str_deinit(&visible);
	str_deinit(line);
}

static void put_leaks(struct run_page *page)
{
	const struct run_report *report = page->report;
	struct str line = { 0 };
	if (report->leaks) {
		struct str body = leaks_text_body(report->leaks, page->options);
		str_puts(&page->out, str_text(&body));
		page->out.failed |= body.failed;
		str_deinit(&body);
		return;
	}
	str_printf(&line, "leaks of %s are not known", report->target);
	layout_colour(&page->out, page->flags, LAYOUT_BOLD);
	put_line(page, &line, 0);
	layout_plain(&page->out, page->flags);
}

static void put_totals(struct run_page *page)
{
	const struct run_report *report = page->report;
	struct str line = { 0 };
	str_puts(&line, "peak ");
	layout_bytes(&line, report->peak_bytes);
	str_puts(&line, "; ");
	layout_plural(&line, report->allocations, "allocation");
	str_puts(&line, " of ");
	layout_bytes(&line, report->bytes);
	str_puts(&line, " in all");
	if (report->temporary) {
		str_puts(&line, ", ");
		layout_count(&line, report->temporary);
		str_puts(&line, " of them temporary");
	}
	str_printf(&line, "; ran %.1f s", report->seconds);
	put_line(page, &line, 0);
}

static void put_site(struct run_page *page, const struct run_site *site, uint64_t bytes,
		     uint64_t blocks)
{
	const struct stack_frame *frame = call_stack_site(&site->stack);
	struct str cell = { 0 }, line = { 0 };
	layout_bytes(&cell, bytes);
	layout_right(&page->out, str_text(&cell), 10);
	str_puts(&page->out, "  ");
	layout_plural(&line, blocks, "block");
	str_puts(&line, " in ");
	if (frame)
		stack_put_frame(&line, frame, page->flags);
	else
		str_puts(&line, "a call stack that is not known");
	layout_wrap(&page->out, str_text(&line),
		    (struct layout_box){ 12, page->width, 12 });
	page->out.failed |= cell.failed || line.failed;
	str_deinit(&cell);
	str_deinit(&line);
	if (page->flags & REPORT_VERBOSE)
		stack_put(&page->out, &site->stack, 14, page->width, page->flags);
}

static void put_heading(struct run_page *page, const char *text)
{
	str_puts(&page->out, "\n");
	layout_colour(&page->out, page->flags, LAYOUT_DIM);
	str_puts(&page->out, text);
	layout_plain(&page->out, page->flags);
	str_puts(&page->out, "\n");
}

static void put_sites(struct run_page *page)
{
	const struct run_report *report = page->report;
	if (report->by_peak.nr)
		put_heading(page, "at the peak");
	for (size_t i = 0; i < report->by_peak.nr; i++)
		if (report->by_peak.items[i].peak_bytes)
			put_site(page, &report->by_peak.items[i],
				 report->by_peak.items[i].peak_bytes,
				 report->by_peak.items[i].peak_blocks);
	if (report->by_total.nr)
		put_heading(page, "in all");
	for (size_t i = 0; i < report->by_total.nr; i++)
		put_site(page, &report->by_total.items[i],
			 report->by_total.items[i].bytes,
			 report->by_total.items[i].allocations);
}

static void put_warnings(struct run_page *page)
{
	const struct sentence_vec *warnings = &page->report->warnings;
	for (size_t i = 0; i < warnings->nr; i++) {
		struct str line = { 0 };
		str_printf(&line, "warning: %s", warnings->items[i]);
		put_line(page, &line, 9);
	}
}

static void put_next(struct run_page *page)
{
	struct str line = { 0 };
	str_printf(&line, "next: seep record %s-- %s",
		   page->report->executions ? "--follow-exec " : "",
		   page->options->again);
	put_line(page, &line, 6);
}

struct str run_text(const struct run_report *report, const struct report_options *options)
{
	struct run_page page = {
		.report = report,
		.options = options,
		.flags = options->flags,
		.width = options->width ? options->width : 80,
	};
	put_leaks(&page);
	put_totals(&page);
	put_sites(&page);
	put_warnings(&page);
	if (options->again)
		put_next(&page);
	return page.flags & REPORT_RULES ? rules_file(&page.out, report->leaks)
					 : page.out;
}
