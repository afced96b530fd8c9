/*
 * recording_text: what a trace tells, for people: verdict, timeline, table, warnings, next command.
 */
#include "report/renderers_priv.h"

#include <inttypes.h>
#include <string.h>

#include "report/layout.h"
#include "report/recording_parts_priv.h"
#include "report/text_parts_priv.h"

#define COLUMN_GAP 2
/* Columns for what a row is, or it gets a line of its own; and for a place with its line. */
#define LEAST_ROOM       20
#define LEAST_PLACE_ROOM 40
#define STACKED_INDENT   4
#define TREE_INDENT      2
#define MAX_MARKS        10

struct recording_page {
	struct str out;
	const struct recording_report *report;
	const struct report_options *options;
	unsigned flags, width;
};

/* --- verdict ------------------------------------------------------------------------ */

static void put_percent(struct str *out, uint64_t part, uint64_t whole)
{
	str_printf(out, "%.0f %%", whole ? 100.0 * (double)part / (double)whole : 0);
}

static void put_window(struct str *out, const struct recording_report *report)
{
	if (!report->is_window)
		return;
	str_puts(out, ", ");
	recording_put_time(out, report->from_us);
	str_puts(out, " to ");
	recording_put_time(out, report->to_us);
}

static void put_peak(struct str *out, const struct recording_summary *summary)
{
	str_puts(out, ", peak ");
	layout_bytes(out, summary->peak_bytes);
	if (!summary->peak_bytes)
		return;
	str_puts(out, " at ");
	recording_put_time(out, summary->peak_us);
}

static void put_live(struct str *out, uint64_t bytes)
{
	bool is_less = (int64_t)bytes < 0;
	str_puts(out, ", ");
	layout_bytes(out, is_less ? -bytes : bytes);
	str_puts(out, is_less ? " less live at the end than at the start"
			      : " live at the end");
}

static void put_verdict(struct recording_page *page)
{
	const struct recording_report *report = page->report;
	const struct recording_summary *summary = &report->summary;
	struct str verdict = { 0 };
	layout_escape(&verdict, report->target, page->flags);
	put_window(&verdict, report);
	str_puts(&verdict, ": ");
	layout_plural(&verdict, summary->allocations, "allocation");
	if (summary->allocations) {
		put_peak(&verdict, summary);
		put_live(&verdict, summary->live_bytes);
		str_puts(&verdict, ", ");
		put_percent(&verdict, summary->temporary, summary->allocations);
		str_puts(&verdict, " temporary");
	}
	text_put_verdict(&page->out, &verdict, page->flags, page->width);
}

/* --- table -------------------------------------------------------------------------- */

static void format_persistent(struct str *out, const struct recording_counts *counts)
{
	recording_put_growth(out, counts->live_bytes);
}

static void format_transient(struct str *out, const struct recording_counts *counts)
{
	layout_bytes(out, counts->bytes - counts->live_bytes);
}

static void format_total(struct str *out, const struct recording_counts *counts)
{
	layout_bytes(out, counts->bytes);
}

static void format_peak(struct str *out, const struct recording_counts *counts)
{
	recording_put_growth(out, counts->peak_bytes);
}

static void format_allocations(struct str *out, const struct recording_counts *counts)
{
	layout_count(out, counts->allocations);
}

static void format_temporary(struct str *out, const struct recording_counts *counts)
{
	put_percent(out, counts->temporary, counts->allocations);
}

static const struct column {
	const char *title;
	void (*format)(struct str *out, const struct recording_counts *counts);
} columns[] = {
	{ "persistent", format_persistent }, { "transient", format_transient },
	{ "total", format_total },           { "peak", format_peak },
	{ "count", format_allocations },     { "temp", format_temporary },
};

struct widths {
	unsigned of[ARRAY_SIZE(columns)];
	unsigned what; /* where the last column begins */
	bool stacked;  /* the last column stands on a line of its own */
};

static struct widths measure(const struct recording_report *report, unsigned page_width)
{
	struct widths widths = { .what = COLUMN_GAP };
	for (size_t c = 0; c < ARRAY_SIZE(columns); c++) {
		widths.of[c] = (unsigned)strlen(columns[c].title);
		for (size_t i = 0; i < report->rows.nr; i++) {
			struct str cell = { 0 };
			columns[c].format(&cell, &report->rows.items[i].counts);
			if (cell.length > widths.of[c])
				widths.of[c] = (unsigned)cell.length;
			str_deinit(&cell);
		}
		widths.what += COLUMN_GAP + widths.of[c];
	}
	bool has_places = report->rows.nr && report->rows.items[0].frames.nr;
	widths.stacked = page_width <
			 widths.what + (has_places ? LEAST_PLACE_ROOM : LEAST_ROOM);
	if (widths.stacked)
		widths.what = STACKED_INDENT;
	return widths;
}

static void put_cell(struct recording_page *page, const char *text, unsigned width)
{
	layout_spaces(&page->out, COLUMN_GAP);
	layout_right(&page->out, text, width);
}

/* From the end of the numbers to where the last column begins. */
static void put_gap(struct recording_page *page, const struct widths *widths)
{
	if (widths->stacked)
		str_puts(&page->out, "\n");
	layout_spaces(&page->out, widths->stacked ? widths->what : COLUMN_GAP);
}

static void put_heading(struct recording_page *page, const struct widths *widths)
{
	str_puts(&page->out, "\n");
	layout_colour(&page->out, page->flags, LAYOUT_DIM);
	for (size_t c = 0; c < ARRAY_SIZE(columns); c++)
		put_cell(page, columns[c].title, widths->of[c]);
	put_gap(page, widths);
	str_puts(&page->out, recording_group_names[page->report->group]);
	layout_plain(&page->out, page->flags);
	str_puts(&page->out, "\n");
}

static void put_what(struct recording_page *page, const struct recording_row *row,
		     const struct widths *widths)
{
	struct str what = { 0 };
	unsigned column = widths->what + row->depth * TREE_INDENT;
	if (row->frames.nr)
		recording_put_place(&what, &page->report->places, row->frames.items[0],
				    page->flags);
	else
		text_put_name(&what, row->label, page->flags);
	put_gap(page, widths);
	layout_spaces(&page->out, row->depth * TREE_INDENT);
	layout_wrap(&page->out, str_text(&what),
		    (struct layout_box){ column, page->width, column });
	page->out.failed |= what.failed;
	str_deinit(&what);
	if (page->report->group == RECORDING_BY_SITE)
		recording_put_callers(&page->out, &page->report->places, &row->frames,
				      (struct layout_box){ column + COLUMN_GAP,
							   page->width, 0 },
				      page->flags);
}

static void put_row(struct recording_page *page, const struct recording_row *row,
		    const struct widths *widths)
{
	for (size_t c = 0; c < ARRAY_SIZE(columns); c++) {
		struct str cell = { 0 };
		columns[c].format(&cell, &row->counts);
		put_cell(page, str_text(&cell), widths->of[c]);
		str_deinit(&cell);
	}
	put_what(page, row, widths);
}

static void put_table(struct recording_page *page)
{
	const struct recording_report *report = page->report;
	struct widths widths = measure(report, page->width);
	if (!report->rows.nr)
		return;
	put_heading(page, &widths);
	for (size_t i = 0; i < report->rows.nr; i++)
		put_row(page, &report->rows.items[i], &widths);
	if (report->rows_left_out) {
		str_puts(&page->out, "  and ");
		layout_count(&page->out, report->rows_left_out);
		str_puts(&page->out, " more\n");
	}
}

/* --- large allocations -------------------------------------------------------------- */

static void put_one_large(struct recording_page *page,
			  const struct recording_large *large)
{
	struct str line = { 0 };
	layout_bytes(&line, large->size);
	str_puts(&line, " at ");
	recording_put_time(&line, large->time_us);
	str_printf(&line, " by thread %" PRIu64 ", ", large->thread);
	if (large->is_live) {
		str_puts(&line, "live at the end");
	} else {
		str_puts(&line, "for ");
		recording_put_time(&line, large->lifetime_us);
	}
	if (large->frames.nr) {
		str_puts(&line, ": ");
		recording_put_place(&line, &page->report->places, large->frames.items[0],
				    page->flags);
	}
	layout_spaces(&page->out, 2);
	layout_wrap(&page->out, str_text(&line),
		    (struct layout_box){ 4, page->width, 2 });
	page->out.failed |= line.failed;
	str_deinit(&line);
	recording_put_callers(&page->out, &page->report->places, &large->frames,
			      (struct layout_box){ 4, page->width, 0 }, page->flags);
}

static void put_large(struct recording_page *page)
{
	const struct recording_report *report = page->report;
	if (!report->large_bytes)
		return;
	str_puts(&page->out, "\n");
	layout_plural(&page->out, report->large.nr + report->large_left_out,
		      "allocation");
	str_puts(&page->out, " of ");
	layout_bytes(&page->out, report->large_bytes);
	str_puts(&page->out, " and more\n");
	for (size_t i = 0; i < report->large.nr; i++)
		put_one_large(page, &report->large.items[i]);
	if (report->large_left_out)
		str_printf(&page->out, "  and %" PRIu64 " more\n",
			   report->large_left_out);
}

/* --- the rest ----------------------------------------------------------------------- */

static void put_marks(struct recording_page *page)
{
	const struct recording_mark_vec *marks = &page->report->marks;
	struct str line = { 0 };
	for (size_t i = 0; i < marks->nr && i < MAX_MARKS; i++) {
		str_puts(&line, i ? ", " : "marks: ");
		text_put_name(&line, marks->items[i].name, page->flags);
		str_puts(&line, " at ");
		recording_put_time(&line, marks->items[i].time_us);
		str_puts(&line, " (");
		recording_put_growth(&line, marks->items[i].live_bytes);
		str_puts(&line, ")");
	}
	if (marks->nr > MAX_MARKS)
		str_printf(&line, " and %zu more", marks->nr - MAX_MARKS);
	if (marks->nr) {
		str_puts(&page->out, "\n");
		layout_wrap(&page->out, str_text(&line),
			    (struct layout_box){ 7, page->width, 7 });
	}
	page->out.failed |= line.failed;
	str_deinit(&line);
}

/* "/bin/ls at 2.0 ms (which ended 41 blocks, 2.0 kB)" */
static void put_execution(struct str *line, const struct recording_execution *execution,
			  unsigned flags)
{
	text_put_name(line, execution->program, flags);
	str_puts(line, " at ");
	recording_put_time(line, execution->time_us);
	if ((int64_t)execution->blocks <= 0)
		return;
	str_puts(line, " (which ended ");
	layout_plural(line, execution->blocks, "block");
	str_puts(line, ", ");
	recording_put_growth(line, execution->bytes);
	str_puts(line, ")");
}

static void put_executions(struct recording_page *page)
{
	const struct recording_execution_vec *executions = &page->report->executions;
	struct str line = { 0 };
	for (size_t i = 0; i < executions->nr && i < MAX_MARKS; i++) {
		str_puts(&line, i ? ", " : "executed: ");
		put_execution(&line, &executions->items[i], page->flags);
	}
	if (executions->nr > MAX_MARKS)
		str_printf(&line, " and %zu more", executions->nr - MAX_MARKS);
	if (executions->nr) {
		str_puts(&page->out, "\n");
		layout_wrap(&page->out, str_text(&line),
			    (struct layout_box){ 10, page->width, 10 });
	}
	page->out.failed |= line.failed;
	str_deinit(&line);
}

/* "lifetimes: 85 % under 1 ms, 10 % under 1 s, 5 % longer" */
static void put_lifetimes(struct recording_page *page)
{
	const uint64_t *lifetimes = page->report->summary.lifetimes;
	uint64_t ended = 0;
	struct str line = { 0 };
	for (size_t i = 0; i < RECORDING_LIFETIMES; i++)
		ended += lifetimes[i];
	for (size_t i = 0; i < RECORDING_LIFETIMES; i++) {
		if (!lifetimes[i])
			continue;
		str_printf(&line, "%s ", line.length ? "," : "lifetimes:");
		put_percent(&line, lifetimes[i], ended);
		str_printf(&line, " %s", recording_lifetime_names[i]);
	}
	if (ended) {
		str_puts(&page->out, "\n");
		layout_wrap(&page->out, str_text(&line),
			    (struct layout_box){ 11, page->width, 11 });
	}
	page->out.failed |= line.failed;
	str_deinit(&line);
}

static const char *const end_words[RECORDING_NR_ENDS] = {
	[RECORDING_EXITED] = "it exited with",
	[RECORDING_KILLED] = "it was ended by signal",
};

static void put_summary(struct recording_page *page)
{
	const struct recording_report *report = page->report;
	const struct recording_summary *summary = &report->summary;
	struct str line = { 0 };
	recording_put_time(&line, report->to_us - report->from_us);
	str_puts(&line, ", ");
	layout_plural(&line, summary->threads, "thread");
	str_puts(&line, ", ");
	layout_bytes(&line, summary->bytes);
	str_puts(&line, " allocated in all, ");
	layout_plural(&line, summary->resizes, "resize");
	if (summary->strays) {
		str_puts(&line, ", ");
		layout_plural(&line, summary->strays, "free");
		str_puts(&line, " of blocks that were not recorded");
	}
	if (summary->maps) {
		str_puts(&line, "; it mapped ");
		layout_bytes(&line, summary->mapped_bytes);
		str_puts(&line, " itself and unmapped ");
		layout_bytes(&line, summary->unmapped_bytes);
	}
	if (report->end)
		str_printf(&line, "; %s %u", end_words[report->end], report->code);
	str_puts(&page->out, "\n");
	layout_wrap(&page->out, str_text(&line),
		    (struct layout_box){ .width = page->width });
	page->out.failed |= line.failed;
	str_deinit(&line);
}

/* --- next --------------------------------------------------------------------------- */

static bool has_marks(const struct recording_report *report)
{
	return report->marks.nr && report->group != RECORDING_BY_MARK;
}

static bool has_live(const struct recording_report *report)
{
	return report->group == RECORDING_BY_SITE && report->order == RECORDING_PEAK &&
	       (int64_t)report->summary.live_bytes > 0;
}

static bool is_flat(const struct recording_report *report)
{
	return report->group != RECORDING_TOP_DOWN;
}

static bool is_any(const struct recording_report *report)
{
	(void)report;
	return true;
}

/* The first row that applies is what to do next. */
static const struct next_step {
	bool (*applies)(const struct recording_report *report);
	const char *words, *purpose;
} next_steps[] = {
	{ has_marks, "report --group-by mark", "what grew from mark to mark" },
	{ has_live, "report --sort persistent", "what was live at the end" },
	{ is_flat, "report --top-down", "who called for it" },
	{ is_any, "report --to html -o report.html", "to look around in a browser" },
};

static void put_next(struct recording_page *page)
{
	const struct next_step *step = next_steps;
	while (!step->applies(page->report))
		step++;
	const char *again = page->options->again;
	const struct text_next next = { .words = step->words,
					.target = again ? again : page->report->file,
					.purpose = step->purpose };
	text_put_next(&page->out, &next, page->flags, page->width);
}

struct str recording_text(const struct recording_report *report,
			  const struct report_options *options)
{
	struct recording_page page = {
		.report = report,
		.options = options,
		.flags = options->flags,
		.width = options->width ? options->width : 80,
	};
	if (report->history.is_asked)
		return recording_history_text(report, options);
	put_verdict(&page);
	recording_put_timeline(&page.out, report, page.flags, page.width);
	put_table(&page);
	put_large(&page);
	put_lifetimes(&page);
	put_marks(&page);
	put_executions(&page);
	put_summary(&page);
	text_put_warnings(&page.out, report->warnings, page.flags, page.width);
	put_next(&page);
	return page.out;
}
