/*
 * heap_text: a view of a heap for people: the verdict, a table whose numbers stand below each
 * other with the name last, and the view that is worth a look next.
 */
#include "report/renderers_priv.h"

#include <inttypes.h>

#include "report/text_parts_priv.h"

#define GAP        2u  /* columns between numbers */
#define TREE_STEP  2u  /* columns of one depth */
#define DEPTH_MOST 24u /* what is deeper is told no further in */

static void put_number(struct str *out, enum heap_unit unit, const struct heap_cell *cell)
{
	if (!cell->is_known)
		str_puts(out, "-");
	else if (unit == HEAP_BYTES)
		layout_bytes(out, cell->number);
	else if (unit == HEAP_ADDRESS)
		str_printf(out, "0x%" PRIx64, cell->number);
	else if (unit == HEAP_PERCENT)
		str_printf(out, "%" PRIu64 ".%" PRIu64 " %%", cell->number / 100,
			   cell->number / 10 % 10);
	else
		layout_count(out, cell->number);
}

static bool is_number(const struct heap_column *column)
{
	return column->title && column->unit != HEAP_TEXT &&
	       column->unit != HEAP_SENTENCE;
}

/* A column of numbers of which one is known. */
static bool is_shown(const struct heap_report *report, size_t column)
{
	bool is_known = false;
	for (size_t i = 0; i < report->rows.nr; i++)
		is_known |= report->rows.items[i].cells[column].is_known;
	return is_known && is_number(&report->columns[column]);
}

/* How wide each column of numbers has to be; 0: it is not shown. */
static void measure(const struct heap_report *report, unsigned *widths)
{
	for (size_t i = 0; i < report->nr_columns; i++) {
		const struct heap_column *column = &report->columns[i];
		widths[i] = is_shown(report, i) ? layout_columns(column->title) : 0;
		for (size_t k = 0; widths[i] && k < report->rows.nr; k++) {
			struct str text = { 0 };
			put_number(&text, column->unit, &report->rows.items[k].cells[i]);
			if (layout_columns(str_text(&text)) > widths[i])
				widths[i] = layout_columns(str_text(&text));
			str_deinit(&text);
		}
	}
}

static void put_titles(struct str *out, const struct heap_report *report,
		       const unsigned *widths, unsigned flags)
{
	layout_colour(out, flags, LAYOUT_DIM);
	for (size_t i = 0; i < report->nr_columns; i++) {
		const struct heap_column *column = &report->columns[i];
		if (!widths[i])
			continue;
		layout_spaces(out, GAP);
		layout_right(out, column->title, widths[i]);
	}
	for (size_t i = 0; i < report->nr_columns; i++)
		if (report->columns[i].unit == HEAP_TEXT && report->columns[i].title) {
			layout_spaces(out, GAP);
			str_puts(out, report->columns[i].title);
		}
	layout_plain(out, flags);
	str_puts(out, "\n");
}

static void put_numbers(struct str *out, const struct heap_report *report,
			const struct heap_row *row, const unsigned *widths)
{
	for (size_t i = 0; i < report->nr_columns; i++) {
		if (!widths[i])
			continue;
		struct str text = { 0 };
		put_number(&text, report->columns[i].unit, &row->cells[i]);
		layout_spaces(out, GAP);
		layout_right(out, str_text(&text), widths[i]);
		out->failed |= text.failed;
		str_deinit(&text);
	}
}

/* The names of a row, those after the first in parentheses. */
static void put_names(struct str *out, const struct heap_report *report,
		      const struct heap_row *row, unsigned flags)
{
	bool is_first = true;
	for (size_t i = 0; i < report->nr_columns; i++) {
		const struct heap_column *column = &report->columns[i];
		if (column->unit != HEAP_TEXT || !column->title || !row->cells[i].text)
			continue;
		str_puts(out, is_first ? "" : "  ");
		is_first = false;
		text_put_name(out, row->cells[i].text, flags);
	}
}

static unsigned name_column(const struct heap_report *report, const unsigned *widths)
{
	unsigned column = GAP;
	for (size_t i = 0; i < report->nr_columns; i++)
		column += widths[i] ? widths[i] + GAP : 0;
	return column;
}

static void put_sentences(struct str *out, const struct heap_report *report,
			  const struct heap_row *row, unsigned flags, unsigned width)
{
	for (size_t i = 0; i < report->nr_columns; i++) {
		if (report->columns[i].unit != HEAP_SENTENCE || !row->cells[i].text)
			continue;
		struct str visible = { 0 };
		layout_escape(&visible, row->cells[i].text, flags);
		layout_spaces(out, 2 * GAP);
		layout_wrap(out, str_text(&visible),
			    (struct layout_box){ .indent = 2 * GAP,
						 .width = width,
						 .column = 2 * GAP });
		out->failed |= visible.failed;
		str_deinit(&visible);
	}
}

static void put_row(struct str *out, const struct heap_report *report,
		    const struct heap_row *row, const unsigned *widths, unsigned flags,
		    unsigned width)
{
	unsigned depth = row->depth < DEPTH_MOST ? row->depth : DEPTH_MOST;
	unsigned column = name_column(report, widths) + depth * TREE_STEP;
	struct str names = { 0 };
	put_names(&names, report, row, flags);
	put_numbers(out, report, row, widths);
	layout_spaces(out, GAP + depth * TREE_STEP);
	/* Where too little room is left of a line for names they go past it. */
	if (column + 20 > width)
		width = column + 60;
	layout_wrap(out, str_text(&names),
		    (struct layout_box){
			    .indent = column, .width = width, .column = column });
	out->failed |= names.failed;
	str_deinit(&names);
	put_sentences(out, report, row, flags, width);
}

static void put_table(struct str *out, const struct heap_report *report, unsigned flags,
		      unsigned width)
{
	unsigned widths[HEAP_COLUMNS_MAX];
	if (!report->rows.nr)
		return;
	measure(report, widths);
	str_puts(out, "\n");
	put_titles(out, report, widths, flags);
	for (size_t i = 0; i < report->rows.nr; i++)
		put_row(out, report, &report->rows.items[i], widths, flags, width);
	if (report->rows_left_out) {
		str_puts(out, "  and ");
		layout_plural(out, report->rows_left_out, "more row");
		str_puts(out, " (--top N)\n");
	}
}

static void put_next(struct str *out, const struct heap_report *report,
		     const struct report_options *options, unsigned width)
{
	if (!report->next || !options->again)
		return;
	struct str words = { 0 };
	str_printf(&words, "%s %s", options->again, report->next);
	const struct text_next next = {
		.words = "heap",
		.target = str_text(&words),
		.purpose = report->next_purpose,
	};
	str_puts(out, "\n");
	text_put_next(out, &next, options->flags, width);
	out->failed |= words.failed;
	str_deinit(&words);
}

struct str heap_text(const struct heap_report *report,
		     const struct report_options *options)
{
	struct str out = { 0 }, verdict = { 0 };
	unsigned width = options->width ? options->width : 80;
	layout_escape(&verdict, report->verdict ? report->verdict : "", options->flags);
	str_puts(&verdict, ".");
	text_put_verdict(&out, &verdict, options->flags, width);
	put_table(&out, report, options->flags, width);
	text_put_warnings(&out, report->warnings, options->flags, width);
	put_next(&out, report, options, width);
	return out;
}
