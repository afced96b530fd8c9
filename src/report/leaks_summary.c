/* leaks_summary: the numbers below the findings of a leaks report. */
#include "report/leaks_page_priv.h"

#include "report/layout.h"

void leaks_put_percent(struct str *out, double percent)
{
	if (!(percent >= 0 && percent <= 100)) {
		str_puts(out, "an unknown part");
		return;
	}
	unsigned hundredths = (unsigned)(percent * 100 + 1e-6);
	str_printf(out, "%u.%02u %%", hundredths / 100, hundredths % 100);
}

static void put_kind_counts(struct str *out, const struct leaks_report *report)
{
	for (int kind = 0; kind < LEAK_NR_KINDS; kind++) {
		struct leak_count count = report->kinds[kind];
		if (kind == LEAK_SUPPRESSED && !count.blocks)
			continue;
		str_printf(out, "%s%s ", kind ? ", " : "", leak_kind_names[kind]);
		layout_count(out, count.blocks);
		if (!count.blocks)
			continue;
		str_puts(out, " (");
		layout_bytes(out, count.bytes);
		str_puts(out, ")");
	}
	str_puts(out, "; ");
}

static void put_coverage(struct str *out, const struct leaks_report *report)
{
	leaks_put_percent(out, report->coverage_percent);
	str_puts(out, " of ");
	layout_bytes(out, report->heap_bytes);
	str_puts(out, " of ");
	str_puts(out, report->allocator ? report->allocator : "heap");
	str_puts(out, " read");
	if (report->file)
		return; /* nobody was paused */
	if (report->looks > 1)
		str_printf(out, "; paused %u times, at most %.1f ms", report->looks,
			   report->pause_ms);
	else
		str_printf(out, "; paused for %.1f ms", report->pause_ms);
}

static void put_noise(struct str *out, const struct leaks_report *report)
{
	if (!report->noise.blocks)
		return;
	str_puts(out, "; ");
	layout_plural(out, report->noise.blocks, "block");
	str_puts(out, " (");
	layout_bytes(out, report->noise.bytes);
	str_puts(out, ") of libc and the loader not listed");
}

static void put_freezing(struct str *out, const struct leaks_report *report)
{
	if (report->copied) {
		str_puts(out, "; read through a frozen copy, which came to need ");
		layout_bytes(out, report->copy_bytes);
	} else if (report->why_stopped) {
		str_puts(out, "; stopped and read, not copied: ");
		str_puts(out, report->why_stopped);
	}
}

static double percent_of(uint64_t part, uint64_t whole)
{
	return whole ? 100.0 * (double)part / (double)whole : 100.0;
}

static void put_types(struct str *out, const struct leaks_types *types)
{
	if (!types->asked)
		return;
	str_puts(out, "; types known for ");
	leaks_put_percent(out, percent_of(types->known.bytes, types->all.bytes));
	str_puts(out, " of bytes, ");
	leaks_put_percent(out, percent_of(types->known.blocks, types->all.blocks));
	str_puts(out, " of blocks");
}

static void put_numbers(struct str *out, const struct leaks_report *report)
{
	str_puts(out, "; ");
	layout_plural(out, report->threads, "thread");
	str_puts(out, ", ");
	layout_plural(out, report->roots, "root");
	str_puts(out, ", ");
	layout_plural(out, report->edges, "edge");
	str_puts(out, report->strict ? ", strict" : "");
}

void leaks_put_summary(struct leaks_page *page)
{
	struct str raw = { 0 }, visible = { 0 };
	put_kind_counts(&raw, page->report);
	put_coverage(&raw, page->report);
	put_noise(&raw, page->report);
	put_types(&raw, &page->report->types);
	if (page->flags & REPORT_VERBOSE) {
		put_numbers(&raw, page->report);
		put_freezing(&raw, page->report);
	}
	layout_escape(&visible, str_text(&raw), page->flags);
	str_puts(&page->out, "\n");
	layout_wrap(&page->out, str_text(&visible),
		    (struct layout_box){ .width = page->width });
	page->out.failed |= raw.failed || visible.failed;
	str_deinit(&raw);
	str_deinit(&visible);
}
