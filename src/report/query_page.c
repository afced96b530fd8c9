/* query_page: see query_page.h. */
#include "report/query_page.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "report/layout.h"
#include "report/query_page_priv.h"

static const struct query_form *const forms[] = { &query_text, &query_csv, &query_json };

void query_page_init(struct query_page *page, const char *form,
		     const struct report_options *options)
{
	*page = (struct query_page){ .options = *options };
	for (size_t i = 0; i < ARRAY_SIZE(forms); i++)
		if (!strcmp(forms[i]->name, form))
			page->form = forms[i];
}

void query_page_deinit(struct query_page *page)
{
	for (size_t i = 0; i < page->cells.nr; i++)
		free(page->cells.items[i]);
	query_cell_vec_deinit(&page->cells);
	free(page->is_text);
	str_deinit(&page->out);
}

void query_put_real(struct str *out, double value)
{
	char text[40];
	for (int digits = 15; digits <= 17; digits++) {
		snprintf(text, sizeof(text), "%.*g", digits, value);
		if (strtod(text, NULL) == value)
			break;
	}
	str_puts(out, text);
	if (!strpbrk(text, ".eni"))
		str_puts(out, ".0");
}

void query_put_bytes(struct str *out, const struct query_value *value)
{
	str_puts(out, "x'");
	for (size_t i = 0; i < value->length; i++)
		str_printf(out, "%02x", (unsigned char)value->text[i]);
	str_puts(out, "'");
}

#define COLUMN_WIDTH 14u

void query_page_tables(struct str *out, const struct query_words *table)
{
	str_printf(out, "%s%s: %s\n", out->length ? "\n" : "", table->name, table->help);
}

void query_page_column(struct str *out, const struct query_words *column)
{
	str_printf(out, "  %-*s%-9s%s\n", (int)COLUMN_WIDTH, column->name, column->type,
		   column->help);
}
