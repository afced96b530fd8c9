/* record_text: what was recorded, for people: one line, and one for each warning. */
#include "report/report.h"

#include "report/layout.h"

static void put_totals(struct str *out, const struct record_report *report)
{
	layout_plural(out, report->allocations, "allocation");
	str_puts(out, ", ");
	layout_plural(out, report->frees, "free");
	str_puts(out, ", at most ");
	layout_bytes(out, report->peak_bytes);
	str_puts(out, " at a time, ");
	layout_bytes(out, report->live_bytes);
	str_puts(out, " at the end");
}

struct str report_record_text(const struct record_report *report,
			      const struct report_options *options)
{
	struct str out = { 0 };
	str_puts(&out, "seep: recorded ");
	layout_escape(&out, report->target ? report->target : "the program",
		      options->flags);
	str_printf(&out, " (%d) for %.1f s: ", (int)report->pid, report->seconds);
	put_totals(&out, report);
	str_puts(&out, "; ");
	layout_bytes(&out, report->file_bytes);
	str_puts(&out, " in ");
	layout_escape(&out, report->path ? report->path : "a file", options->flags);
	str_puts(&out, "; next: seep report ");
	layout_escape(&out, options->again ? options->again : "FILE", options->flags);
	str_puts(&out, "\n");
	for (size_t i = 0; i < report->warnings.nr; i++) {
		str_puts(&out, "seep: warning: ");
		layout_escape(&out, report->warnings.items[i], options->flags);
		str_puts(&out, ".\n");
	}
	return out;
}
