/* recording_history: one address' history, for people: verdict, table of events, next command. */
#include <inttypes.h>
#include <string.h>

#include "report/layout.h"
#include "report/recording_parts_priv.h"
#include "report/text_parts_priv.h"

#define COLUMN_GAP     2
#define LEAST_ROOM     40 /* for a place, or it gets lines of its own */
#define STACKED_INDENT 4

struct history_page {
	struct str out;
	const struct recording_report *report;
	unsigned flags, width;
};

static const struct recording_block *block_of(const struct recording_event *event)
{
	return event->has_begun ? &event->begun : &event->ended;
}

static bool has_block(const struct recording_event *event)
{
	return event->has_begun || event->has_ended;
}

/* --- verdict ------------------------------------------------------------------------ */

/* "; it is at 8 of a block of 24 B that was allocated at 0.120 s" */
static void put_end(struct str *out, const struct recording_history *history)
{
	if (!history->is_live) {
		str_puts(out, "; no block has it at the end");
		return;
	}
	str_printf(out, "; at the end it is at offset %" PRIu64 " of a block of ",
		   history->live.offset);
	layout_bytes(out, history->live.bytes);
	str_printf(out, " from %.3f s", (double)history->live.born_us / 1e6);
}

static void put_verdict(struct history_page *page)
{
	const struct recording_report *report = page->report;
	const struct recording_history *history = &report->history;
	struct str verdict = { 0 };
	layout_escape(&verdict, report->target, page->flags);
	str_printf(&verdict, ": 0x%" PRIx64 " was in ", history->address);
	if (history->nr_blocks)
		layout_plural(&verdict, history->nr_blocks, "block");
	else
		str_puts(&verdict, "no block");
	if (report->is_window)
		str_printf(&verdict, " from %.3f s to %.3f s",
			   (double)report->from_us / 1e6, (double)report->to_us / 1e6);
	if (history->nr_blocks) {
		str_puts(&verdict, ", ");
		layout_plural(&verdict, history->nr_events, "event");
		put_end(&verdict, history);
	}
	text_put_verdict(&page->out, &verdict, page->flags, page->width);
}

/* --- cells -------------------------------------------------------------------------- */

static void format_time(struct str *out, const struct history_page *page,
			const struct recording_event *event)
{
	(void)page;
	str_printf(out, "%.3f", (double)event->time_us / 1e6);
}

static void format_thread(struct str *out, const struct history_page *page,
			  const struct recording_event *event)
{
	(void)page;
	if (event->kind != RECORDING_EXECUTED)
		str_printf(out, "%" PRIu64, event->thread);
}

/* Of a resize that moved a block, one of the two had the address. */
static void format_event(struct str *out, const struct history_page *page,
			 const struct recording_event *event)
{
	(void)page;
	if (event->kind != RECORDING_RESIZED || event->has_ended == event->has_begun)
		str_puts(out, recording_event_names[event->kind]);
	else
		str_puts(out, event->has_begun ? "moved here" : "moved away");
}

static void format_bytes(struct str *out, const struct history_page *page,
			 const struct recording_event *event)
{
	(void)page;
	if (has_block(event))
		layout_bytes(out, block_of(event)->bytes);
}

static void format_offset(struct str *out, const struct history_page *page,
			  const struct recording_event *event)
{
	(void)page;
	if (has_block(event))
		layout_count(out, block_of(event)->offset);
}

static void format_lived(struct str *out, const struct history_page *page,
			 const struct recording_event *event)
{
	(void)page;
	if (event->has_ended)
		str_printf(out, "%.3f",
			   (double)(event->time_us - event->ended.born_us) / 1e6);
}

/* The mark that the block, or else the one that ends, was allocated after. */
static void format_mark(struct str *out, const struct history_page *page,
			const struct recording_event *event)
{
	uint32_t generation = block_of(event)->generation;
	if (generation)
		layout_escape(out, page->report->marks.items[generation - 1].name,
			      page->flags);
}

static bool has_marks(const struct recording_report *report)
{
	return report->marks.nr;
}

static const struct column {
	const char *title;
	void (*format)(struct str *out, const struct history_page *page,
		       const struct recording_event *event);
	bool (*applies)(const struct recording_report *report); /* NULL: always */
	bool is_left;                                           /* aligned */
} columns[] = {
	{ .title = "at (s)", .format = format_time },
	{ .title = "thread", .format = format_thread },
	{ .title = "event", .format = format_event, .is_left = true },
	{ .title = "size", .format = format_bytes },
	{ .title = "offset", .format = format_offset },
	{ .title = "lived (s)", .format = format_lived },
	{ .title = "after",
	  .format = format_mark,
	  .applies = has_marks,
	  .is_left = true },
};

/* --- table -------------------------------------------------------------------------- */

struct widths {
	unsigned of[ARRAY_SIZE(columns)]; /* 0: the column is left out */
	unsigned what;                    /* where the place begins */
	bool stacked;                     /* it stands on a line of its own */
};

static unsigned cell_width(const struct column *column, const struct history_page *page,
			   const struct recording_event *event)
{
	struct str cell = { 0 };
	column->format(&cell, page, event);
	unsigned width = layout_columns(str_text(&cell));
	str_deinit(&cell);
	return width;
}

static struct widths measure(const struct history_page *page)
{
	const struct recording_event_vec *events = &page->report->history.events;
	struct widths widths = { .what = COLUMN_GAP };
	for (size_t c = 0; c < ARRAY_SIZE(columns); c++) {
		if (columns[c].applies && !columns[c].applies(page->report))
			continue;
		widths.of[c] = (unsigned)strlen(columns[c].title);
		for (size_t i = 0; i < events->nr; i++) {
			unsigned width = cell_width(&columns[c], page, &events->items[i]);
			if (width > widths.of[c])
				widths.of[c] = width;
		}
		widths.what += COLUMN_GAP + widths.of[c];
	}
	widths.stacked = page->width < widths.what + LEAST_ROOM;
	if (widths.stacked)
		widths.what = STACKED_INDENT;
	return widths;
}

static void put_cell(struct str *line, const struct column *column, const char *text,
		     unsigned width)
{
	layout_spaces(line, COLUMN_GAP);
	if (!column->is_left) {
		layout_right(line, text, width);
		return;
	}
	str_puts(line, text);
	layout_spaces(line, width - layout_columns(text));
}

/* What stands in front of the place; lines have no spaces at their ends. */
static void put_line(struct history_page *page, struct str *line,
		     const struct widths *widths, bool has_place)
{
	if (widths->stacked || !has_place)
		while (line->length && line->text[line->length - 1] == ' ')
			line->text[--line->length] = '\0';
	str_puts(&page->out, str_text(line));
	if (widths->stacked || !has_place)
		str_puts(&page->out, "\n");
	if (has_place)
		layout_spaces(&page->out, widths->stacked ? widths->what : COLUMN_GAP);
	page->out.failed |= line->failed;
}

static void put_heading(struct history_page *page, const struct widths *widths)
{
	struct str line = { 0 };
	str_puts(&page->out, "\n");
	layout_colour(&page->out, page->flags, LAYOUT_DIM);
	for (size_t c = 0; c < ARRAY_SIZE(columns); c++)
		if (widths->of[c])
			put_cell(&line, &columns[c], columns[c].title, widths->of[c]);
	put_line(page, &line, widths, true);
	str_puts(&page->out, "call");
	layout_plain(&page->out, page->flags);
	str_puts(&page->out, "\n");
	str_deinit(&line);
}

/* The call that allocated. A free has none: if it is not in the list who allocated what it
   frees, that is told. */
static void put_call(struct history_page *page, const struct recording_event *event,
		     const struct widths *widths)
{
	struct str what = { 0 };
	const struct layout_box box = { widths->what, page->width, widths->what };
	const struct layout_box callers = { widths->what + COLUMN_GAP, page->width, 0 };
	str_puts(&what, event->has_begun ? "" : "what was allocated by ");
	recording_put_place(&what, &page->report->places, event->frames.items[0],
			    page->flags);
	layout_wrap_coloured(&page->out, str_text(&what), box, page->flags,
			     event->has_begun ? LAYOUT_NONE : LAYOUT_DIM);
	if (event->has_begun)
		recording_put_callers(&page->out, &page->report->places, &event->frames,
				      callers, page->flags);
	page->out.failed |= what.failed;
	str_deinit(&what);
}

static void put_program(struct history_page *page, const struct recording_event *event,
			const struct widths *widths)
{
	struct str what = { 0 };
	const struct layout_box box = { widths->what, page->width, widths->what };
	str_puts(&what, "program ");
	text_put_name(&what, page->report->executions.items[event->execution].program,
		      page->flags);
	str_puts(&what, " was executed");
	layout_wrap_coloured(&page->out, str_text(&what), box, page->flags, LAYOUT_NONE);
	page->out.failed |= what.failed;
	str_deinit(&what);
}

static bool has_call(const struct history_page *page, const struct recording_event *event)
{
	const struct recording_event *first = &page->report->history.events.items[0];
	bool is_listed = event->has_begun || event->ended.born_us > first->time_us ||
			 (event->ended.born_us == first->time_us && first->has_begun);
	return event->frames.nr && (event->has_begun || !is_listed);
}

static void put_event(struct history_page *page, const struct recording_event *event,
		      const struct widths *widths)
{
	struct str line = { 0 };
	for (size_t c = 0; c < ARRAY_SIZE(columns); c++) {
		struct str cell = { 0 };
		if (!widths->of[c])
			continue;
		columns[c].format(&cell, page, event);
		put_cell(&line, &columns[c], str_text(&cell), widths->of[c]);
		str_deinit(&cell);
	}
	bool is_execution = event->kind == RECORDING_EXECUTED;
	bool calls = !is_execution && has_call(page, event);
	put_line(page, &line, widths, is_execution || calls);
	str_deinit(&line);
	if (is_execution)
		put_program(page, event, widths);
	if (calls)
		put_call(page, event, widths);
}

static void put_events(struct history_page *page)
{
	const struct recording_history *history = &page->report->history;
	if (!history->events.nr)
		return;
	const struct widths widths = measure(page);
	put_heading(page, &widths);
	if (history->events_left_out) {
		str_puts(&page->out, "  after ");
		layout_count(&page->out, history->events_left_out);
		str_puts(&page->out, " earlier (all of them: --top all)\n");
	}
	for (size_t i = 0; i < history->events.nr; i++)
		put_event(page, &history->events.items[i], &widths);
}

/* --- all of it ---------------------------------------------------------------------- */

static void put_next(struct history_page *page, const struct report_options *options)
{
	const struct recording_history *history = &page->report->history;
	struct str words = { 0 };
	if (history->events_left_out)
		str_printf(&words, "report --address 0x%" PRIx64 " --top all",
			   history->address);
	else
		str_puts(&words, "report");
	const struct text_next next = {
		.words = str_text(&words),
		.target = options->again ? options->again : page->report->file,
		.purpose = history->events_left_out
				   ? "all of its events"
				   : "who held the memory when it was most",
	};
	text_put_next(&page->out, &next, page->flags, page->width);
	str_deinit(&words);
}

struct str recording_history_text(const struct recording_report *report,
				  const struct report_options *options)
{
	struct history_page page = {
		.report = report,
		.flags = options->flags,
		.width = options->width ? options->width : 80,
	};
	put_verdict(&page);
	put_events(&page);
	str_puts(&page.out, "\n");
	text_put_warnings(&page.out, report->warnings, page.flags, page.width);
	put_next(&page, options);
	return page.out;
}
