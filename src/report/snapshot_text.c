/* snapshot_text: what was stored, for people: two lines. */
#include "report/renderers_priv.h"

#include "report/layout.h"

static void put_stored(struct str *out, const struct snapshot_report *report,
		       unsigned flags)
{
	str_puts(out, "stored ");
	layout_escape(out, report->target ? report->target : "the target", flags);
	str_puts(out, " in ");
	layout_escape(out, report->path ? report->path : "a file", flags);
	str_puts(out, ": ");
	layout_plural(out, report->blocks, "block");
	str_puts(out, " (");
	layout_bytes(out, report->block_bytes);
	str_puts(out, "), ");
	layout_plural(out, report->edges, "edge");
	if (report->contents_bytes) {
		str_puts(out, ", ");
		layout_bytes(out, report->contents_bytes);
		str_puts(out, " of contents");
	}
	str_puts(out, " in ");
	layout_bytes(out, report->file_bytes);
	if (report->coverage_percent < REPORT_FULL_COVERAGE_PERCENT)
		str_printf(out, "; only %.2f %% of its heap could be read",
			   report->coverage_percent);
	if (report->looks > 1)
		str_printf(out, "; paused %u times, at most %.1f ms", report->looks,
			   report->pause_ms);
	else
		str_printf(out, "; paused for %.1f ms", report->pause_ms);
}

struct str snapshot_text(const struct snapshot_report *report,
			 const struct report_options *options)
{
	struct str out = { 0 }, stored = { 0 };
	unsigned width = options->width ? options->width : 80;
	put_stored(&stored, report, options->flags);
	layout_wrap(&out, str_text(&stored),
		    (struct layout_box){ .indent = 2, .width = width, .column = 2 });
	str_puts(&out, "next: seep leaks ");
	layout_escape(&out, options->again ? options->again : "FILE", options->flags);
	str_puts(&out, "\n");
	out.failed |= stored.failed;
	str_deinit(&stored);
	return out;
}
