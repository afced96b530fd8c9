/* doctor_text: a doctor report for people: verdict, one row per check, next command. */
#include "report/renderers_priv.h"

#include <string.h>

#include "report/layout.h"

#define COLUMN_GAP 2

struct doctor_page {
	struct str out;
	const struct doctor_report *report;
	unsigned flags, width;
	unsigned subject_width, state_width;
};

static const enum layout_colour state_colours[] = {
	[DOCTOR_OK] = LAYOUT_GREEN,
	[DOCTOR_LIMITED] = LAYOUT_YELLOW,
	[DOCTOR_REFUSED] = LAYOUT_RED,
	[DOCTOR_UNKNOWN] = LAYOUT_YELLOW,
};

/* What the report comes to, by its worst check, with and without a process. */
static const struct doctor_verdict {
	const char *machine, *process;
} doctor_verdicts[] = {
	[DOCTOR_OK] = { "this machine lets seep inspect programs", "seep can inspect " },
	[DOCTOR_LIMITED] = { "this machine lets seep inspect programs, with limits",
			     "seep can inspect, with limits, " },
	[DOCTOR_REFUSED] = { "this machine does not let seep inspect programs",
			     "seep cannot inspect " },
	[DOCTOR_UNKNOWN] = { "this machine may let seep inspect programs",
			     "seep may be able to inspect " },
};

static void put_verdict(struct doctor_page *page, enum doctor_state state)
{
	const struct doctor_report *report = page->report;
	struct str verdict = { 0 };
	str_puts(&verdict, report->pid ? doctor_verdicts[state].process
				       : doctor_verdicts[state].machine);
	if (report->pid)
		layout_escape(&verdict, report->target ? report->target : "the process",
			      page->flags);
	layout_colour(&page->out, page->flags, LAYOUT_BOLD);
	layout_wrap(
		&page->out, str_text(&verdict),
		(struct layout_box){ .indent = 2, .width = page->width, .column = 2 });
	layout_plain(&page->out, page->flags);
	str_puts(&page->out, "\n");
	page->out.failed |= verdict.failed;
	str_deinit(&verdict);
}

static void put_paragraph(struct doctor_page *page, const char *lead, const char *text,
			  unsigned column)
{
	struct str visible = { 0 };
	str_puts(&visible, lead);
	layout_escape(&visible, text, page->flags);
	unsigned indent =
		2 * COLUMN_GAP + page->state_width + page->subject_width + COLUMN_GAP;
	layout_wrap(&page->out, str_text(&visible),
		    (struct layout_box){ indent, page->width, column });
	page->out.failed |= visible.failed;
	str_deinit(&visible);
}

static void put_padded(struct doctor_page *page, const char *text, unsigned width)
{
	str_printf(&page->out, "%-*s", (int)(width + COLUMN_GAP), text);
}

static void put_check(struct doctor_page *page, const struct doctor_check *check)
{
	layout_spaces(&page->out, COLUMN_GAP);
	layout_colour(&page->out, page->flags, state_colours[check->state]);
	put_padded(page, doctor_state_names[check->state], page->state_width);
	layout_plain(&page->out, page->flags);
	put_padded(page, check->subject, page->subject_width);
	unsigned column = 3 * COLUMN_GAP + page->state_width + page->subject_width;
	put_paragraph(page, "", check->finding ? check->finding : "", column);
	if (check->remedy)
		put_paragraph(page, "try: ", check->remedy, 0);
}

static void measure_columns(struct doctor_page *page)
{
	for (size_t i = 0; i < page->report->checks.nr; i++) {
		const struct doctor_check *check = &page->report->checks.items[i];
		unsigned subject = (unsigned)strlen(check->subject);
		unsigned state = (unsigned)strlen(doctor_state_names[check->state]);
		if (subject > page->subject_width)
			page->subject_width = subject;
		if (state > page->state_width)
			page->state_width = state;
	}
}

static void put_next(struct doctor_page *page, enum doctor_state state)
{
	int pid = (int)page->report->pid;
	str_puts(&page->out, "\n");
	if (state == DOCTOR_REFUSED && pid)
		str_printf(&page->out,
			   "next: follow the lines \"try:\", then seep doctor %d\n", pid);
	else if (state == DOCTOR_REFUSED)
		str_puts(&page->out,
			 "next: follow the lines \"try:\", then seep doctor\n");
	else if (pid)
		str_printf(&page->out, "next: seep leaks %d\n", pid);
	else
		str_puts(&page->out, "next: seep doctor PID  # what a process allows\n");
}

struct str doctor_text(const struct doctor_report *report,
		       const struct report_options *options)
{
	struct doctor_page page = {
		.report = report,
		.flags = options->flags,
		.width = options->width ? options->width : 80,
	};
	enum doctor_state state = doctor_report_state(report);
	measure_columns(&page);
	put_verdict(&page, state);
	for (size_t i = 0; i < report->checks.nr; i++)
		put_check(&page, &report->checks.items[i]);
	put_next(&page, state);
	return page.out;
}
