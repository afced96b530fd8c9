/* core_text: what core was written, for people: two lines. */
#include "report/renderers_priv.h"

#include "report/layout.h"

static void put_written(struct str *out, const struct core_report *report, unsigned flags)
{
	str_puts(out, "wrote a core of ");
	layout_escape(out, report->target ? report->target : "the target", flags);
	str_puts(out, " to ");
	layout_escape(out, report->path ? report->path : "a file", flags);
	str_puts(out, ": ");
	layout_bytes(out, report->memory_bytes);
	str_puts(out, " in a file of ");
	layout_bytes(out, report->file_bytes);
	str_puts(out, ", ");
	layout_plural(out, report->threads, "thread");
	if (report->left_out_bytes) {
		str_puts(out, "; ");
		layout_bytes(out, report->left_out_bytes);
		str_puts(out, " are swapped out and were left out");
	}
	str_printf(out, "; %spaused for %.1f ms",
		   report->copied ? "read through a frozen copy, " : "",
		   report->pause_ms);
}

struct str core_text(const struct core_report *report,
		     const struct report_options *options)
{
	struct str out = { 0 }, written = { 0 };
	unsigned width = options->width ? options->width : 80;
	put_written(&written, report, options->flags);
	layout_wrap(&out, str_text(&written),
		    (struct layout_box){ .indent = 2, .width = width, .column = 2 });
	str_puts(&out, "next: seep leaks ");
	layout_escape(&out, options->again ? options->again : "FILE", options->flags);
	str_puts(&out, "\n");
	out.failed |= written.failed;
	str_deinit(&written);
	return out;
}
