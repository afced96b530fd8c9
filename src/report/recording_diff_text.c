/* recording_diff_text: what grew from one trace to another, for people. */
#include "report/renderers_priv.h"

#include <inttypes.h>
#include <string.h>

#include "report/layout.h"
#include "report/recording_parts_priv.h"
#include "report/text_parts_priv.h"

#define NUMBER_WIDTH 11
#define WHAT_COLUMN  (3 * (NUMBER_WIDTH + 1) + 2)
#define MAX_CALLERS  6 /* unless all are asked for */

struct diff_page {
	struct str out;
	const struct recording_diff *diff;
	unsigned flags, width;
};

static bool is_of_bytes(enum recording_order order)
{
	return order != RECORDING_ALLOCATIONS && order != RECORDING_TEMPORARY;
}

static void put_amount(struct str *out, uint64_t value, enum recording_order order)
{
	if (is_of_bytes(order))
		recording_put_growth(out, value);
	else
		layout_count(out, value);
}

/* "+1.2 MB", "-40 kB", "as before" */
static void put_change(struct str *out, uint64_t before, uint64_t after,
		       enum recording_order order)
{
	bool is_more = (int64_t)(after - before) > 0;
	if (before == after) {
		str_puts(out, "as before");
		return;
	}
	str_puts(out, is_more ? "+" : "-");
	put_amount(out, is_more ? after - before : before - after, order);
}

/* "peak 84.1 MB (+2.0 MB)" */
static void put_total(struct str *out, const char *what, uint64_t before, uint64_t after,
		      enum recording_order order)
{
	str_puts(out, what);
	put_amount(out, after, order);
	str_puts(out, " (");
	put_change(out, before, after, order);
	str_puts(out, ")");
}

static void put_verdict(struct diff_page *page)
{
	const struct recording_report *after = page->diff->after;
	const struct recording_summary *old = &page->diff->before->summary;
	const struct recording_summary *new = &after->summary;
	struct str verdict = { 0 };
	layout_escape(&verdict, after->target, page->flags);
	put_total(&verdict, ": peak ", old->peak_bytes, new->peak_bytes, RECORDING_PEAK);
	put_total(&verdict, ", live at the end ", old->live_bytes, new->live_bytes,
		  RECORDING_PEAK);
	put_total(&verdict, ", allocations ", old->allocations, new->allocations,
		  RECORDING_ALLOCATIONS);
	str_puts(&verdict, " since ");
	layout_escape(&verdict, page->diff->before->file, page->flags);
	text_put_verdict(&page->out, &verdict, page->flags, page->width);
}

static void put_heading(struct diff_page *page)
{
	static const char *const titles[] = { "change", "before", "after" };
	const struct recording_report *report = page->diff->after;
	str_printf(&page->out, "\n  %s%s:\n", recording_order_names[report->order],
		   is_of_bytes(report->order) ? " bytes" : "");
	layout_colour(&page->out, page->flags, LAYOUT_DIM);
	for (size_t i = 0; i < ARRAY_SIZE(titles); i++) {
		str_puts(&page->out, " ");
		layout_right(&page->out, titles[i], NUMBER_WIDTH);
	}
	str_printf(&page->out, "  %s", recording_group_names[report->group]);
	layout_plain(&page->out, page->flags);
	str_puts(&page->out, "\n");
}

static void put_number(struct diff_page *page, struct str *cell)
{
	str_puts(&page->out, " ");
	layout_right(&page->out, str_text(cell), NUMBER_WIDTH);
	page->out.failed |= cell->failed;
	str_deinit(cell);
}

static void put_place(struct diff_page *page, struct str *out,
		      const struct recording_change *change, size_t i)
{
	const struct recording_report *of = change->in_after ? page->diff->after
							     : page->diff->before;
	struct str raw = { 0 };
	recording_put_frame(&raw, &of->places, change->frames.items[i]);
	text_put_name(out, str_text(&raw), page->flags);
	out->failed |= raw.failed;
	str_deinit(&raw);
}

static void put_what(struct diff_page *page, const struct recording_change *change)
{
	size_t most = page->flags & REPORT_VERBOSE ? SIZE_MAX : MAX_CALLERS;
	struct str what = { 0 };
	if (change->frames.nr)
		put_place(page, &what, change, 0);
	else
		text_put_name(&what, change->label, page->flags);
	for (size_t i = 1; i < change->frames.nr && i <= most; i++) {
		str_puts(&what, "\nby ");
		put_place(page, &what, change, i);
	}
	str_puts(&page->out, "  ");
	layout_wrap(&page->out, str_text(&what),
		    (struct layout_box){ WHAT_COLUMN, page->width, WHAT_COLUMN });
	page->out.failed |= what.failed;
	str_deinit(&what);
}

static void put_row(struct diff_page *page, const struct recording_change *change)
{
	enum recording_order order = page->diff->after->order;
	uint64_t before = (uint64_t)recording_value(&change->before, order);
	uint64_t after = (uint64_t)recording_value(&change->after, order);
	struct str cell = { 0 };
	put_change(&cell, before, after, order);
	put_number(page, &cell);
	put_amount(&cell, before, order);
	put_number(page, &cell);
	put_amount(&cell, after, order);
	put_number(page, &cell);
	put_what(page, change);
}

static void put_rows(struct diff_page *page)
{
	const struct recording_diff *diff = page->diff;
	if (diff->changes.nr)
		put_heading(page);
	for (size_t i = 0; i < diff->changes.nr; i++)
		put_row(page, &diff->changes.items[i]);
	if (diff->changes_left_out)
		str_printf(&page->out, "  and %" PRIu64 " more\n",
			   diff->changes_left_out);
	str_puts(&page->out, "\n");
	if (diff->unchanged) {
		layout_plural(&page->out, diff->unchanged,
			      recording_group_names[diff->after->group]);
		str_puts(&page->out, " as before\n");
	}
}

struct str recording_diff_text(const struct recording_diff *diff,
			       const struct report_options *options)
{
	struct diff_page page = {
		.diff = diff,
		.flags = options->flags,
		.width = options->width ? options->width : 80,
	};
	put_verdict(&page);
	put_rows(&page);
	text_put_warnings(&page.out, diff->before->warnings, page.flags, page.width);
	text_put_warnings(&page.out, diff->after->warnings, page.flags, page.width);
	const struct text_next next = {
		.words = "report",
		.target = options->again ? options->again : diff->after->file,
		.purpose = "the later trace by itself",
	};
	text_put_next(&page.out, &next, page.flags, page.width);
	return page.out;
}
