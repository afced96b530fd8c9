/*
 * query_text: the rows of a query for people: numbers stand to the right, names to the left, and
 * addresses are written as such. What is not known is "-".
 */
#include <inttypes.h>
#include <stdlib.h>

#include "report/layout.h"
#include "report/query_page_priv.h"
#include "report/text_parts_priv.h"

#define GAP 2u /* columns between columns */

static void begin(struct query_page *page, const struct query_report *report)
{
	page->is_text = calloc(report->columns.nr + 1, sizeof(bool));
	page->out.failed |= !page->is_text;
}

static bool is_text(const struct query_value *value)
{
	return value->kind == QUERY_TEXT || value->kind == QUERY_BYTES;
}

static char *tell(const struct query_value *value, unsigned flags)
{
	struct str out = { 0 };
	if (value->kind == QUERY_NULL)
		str_puts(&out, "-");
	else if (value->kind == QUERY_INTEGER)
		str_printf(&out, "%" PRId64, value->integer);
	else if (value->kind == QUERY_ADDRESS)
		str_printf(&out, "0x%" PRIx64, (uint64_t)value->integer);
	else if (value->kind == QUERY_REAL)
		query_put_real(&out, value->real);
	else if (value->kind == QUERY_BYTES)
		query_put_bytes(&out, value);
	else
		layout_escape(&out, value->text, flags);
	str_append(&out, "", 0);
	return str_take(&out);
}

static void row(struct query_page *page, const struct query_report *report,
		const struct query_value *values)
{
	for (size_t i = 0; !page->out.failed && i < report->columns.nr; i++) {
		char *cell = tell(&values[i], page->options.flags);
		page->is_text[i] |= is_text(&values[i]);
		if (cell && query_cell_vec_push(&page->cells, cell))
			continue;
		free(cell);
		page->out.failed = true;
	}
}

static void put_cell(struct str *out, const char *cell, unsigned width, bool is_left,
		     bool is_last)
{
	if (!is_left)
		layout_right(out, cell, width);
	else
		str_puts(out, cell);
	if (is_left && !is_last)
		layout_spaces(out, width - layout_columns(cell));
}

static void put_line(struct query_page *page, const struct query_report *report,
		     char *const *cells, const unsigned *widths)
{
	size_t nr = report->columns.nr;
	for (size_t i = 0; i < nr; i++) {
		layout_spaces(&page->out, i ? GAP : 0);
		put_cell(&page->out, cells[i], widths[i], page->is_text[i], i + 1 == nr);
	}
}

/* The names of the columns, made visible: they may be anything that SQL says. */
static bool make_titles(struct query_page *page, const struct query_report *report,
			char **titles)
{
	bool good = true;
	for (size_t i = 0; i < report->columns.nr; i++) {
		struct str title = { 0 };
		layout_escape(&title, report->columns.items[i].name, page->options.flags);
		str_append(&title, "", 0);
		titles[i] = str_take(&title);
		good &= titles[i] != NULL;
	}
	return good;
}

static void put_table(struct query_page *page, const struct query_report *report,
		      char *const *titles, unsigned *widths)
{
	size_t nr = report->columns.nr;
	for (size_t i = 0; i < nr; i++)
		widths[i] = layout_columns(titles[i]);
	for (size_t i = 0; i < page->cells.nr; i++) {
		unsigned width = layout_columns(page->cells.items[i]);
		if (width > widths[i % nr])
			widths[i % nr] = width;
	}
	layout_colour(&page->out, page->options.flags, LAYOUT_DIM);
	put_line(page, report, titles, widths);
	layout_plain(&page->out, page->options.flags);
	str_puts(&page->out, "\n");
	for (size_t i = 0; i + nr <= page->cells.nr; i += nr) {
		put_line(page, report, page->cells.items + i, widths);
		str_puts(&page->out, "\n");
	}
}

static void end(struct query_page *page, const struct query_report *report)
{
	size_t nr = report->columns.nr;
	unsigned *widths = calloc(nr + 1, sizeof(*widths));
	char **titles = calloc(nr + 1, sizeof(*titles));
	page->out.failed |= !widths || !titles;
	if (!page->out.failed && make_titles(page, report, titles))
		put_table(page, report, titles, widths);
	else
		page->out.failed = true;
	if (report->has_more)
		str_puts(&page->out, "and more rows (--top N, --top all)\n");
	text_put_warnings(&page->out, report->warnings, page->options.flags,
			  page->options.width ? page->options.width : 80);
	for (size_t i = 0; titles && i < nr; i++)
		free(titles[i]);
	free(titles);
	free(widths);
}

const struct query_form query_text = { "text", begin, row, end };
