/* query_csv: the rows of a query for spreadsheets (RFC 4180). What is not known is empty, and an
   empty text is "". */
#include <inttypes.h>
#include <string.h>

#include "report/query_page_priv.h"

static void put_text(struct str *out, const char *text, size_t length)
{
	const char *end = text + length;
	str_puts(out, "\"");
	for (const char *quote; (quote = memchr(text, '"', (size_t)(end - text)));) {
		str_append(out, text, (size_t)(quote - text));
		str_puts(out, "\"\"");
		text = quote + 1;
	}
	str_append(out, text, (size_t)(end - text));
	str_puts(out, "\"");
}

static void put_value(struct str *out, const struct query_value *value)
{
	switch (value->kind) {
	case QUERY_NULL:
		break;
	case QUERY_INTEGER:
		str_printf(out, "%" PRId64, value->integer);
		break;
	case QUERY_ADDRESS:
		str_printf(out, "0x%" PRIx64, (uint64_t)value->integer);
		break;
	case QUERY_REAL:
		query_put_real(out, value->real);
		break;
	case QUERY_TEXT:
		put_text(out, value->text, value->length);
		break;
	case QUERY_BYTES:
		query_put_bytes(out, value);
		break;
	}
}

static void put_name(struct str *out, const char *name)
{
	if (name[0] && !strpbrk(name, "\",\r\n"))
		str_puts(out, name);
	else
		put_text(out, name, strlen(name));
}

static void begin(struct query_page *page, const struct query_report *report)
{
	for (size_t i = 0; i < report->columns.nr; i++) {
		str_puts(&page->out, i ? "," : "");
		put_name(&page->out, report->columns.items[i].name);
	}
	str_puts(&page->out, "\r\n");
}

static void row(struct query_page *page, const struct query_report *report,
		const struct query_value *values)
{
	for (size_t i = 0; i < report->columns.nr; i++) {
		str_puts(&page->out, i ? "," : "");
		put_value(&page->out, &values[i]);
	}
	str_puts(&page->out, "\r\n");
}

static void end(struct query_page *page, const struct query_report *report)
{
	(void)page, (void)report;
}

const struct query_form query_csv = { "csv", begin, row, end };
