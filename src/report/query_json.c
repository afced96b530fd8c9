/* query_json: the rows of a query for programs, one on a line. doc/query.schema.json describes
   it. */

#include "report/json_parts_priv.h"
#include "report/query_page_priv.h"

static void put_target(struct json_writer *json, const struct query_report *report)
{
	json_open_object(json, "target");
	json_target(json, report->pid, report->target);
	json_string(json, "file", report->file);
	json_string(json, "allocator", report->allocator);
	json_close(json);
}

static void put_column(struct json_writer *json, const struct query_column *column)
{
	json_open_object(json, NULL);
	json_string(json, "name", column->name);
	json_bool(json, "is_address", column->is_address);
	json_close(json);
}

/* All but the rows is a document, which they stand in the middle of. */
static void begin(struct query_page *page, const struct query_report *report)
{
	struct json_writer json = { .out = page->out };
	json_open_object(&json, NULL);
	json_string(&json, "schema", "seep.query/1");
	put_target(&json, report);
	json_string(&json, "sql", report->sql);
	json_open_array(&json, "columns");
	for (size_t i = 0; i < report->columns.nr; i++)
		put_column(&json, &report->columns.items[i]);
	json_close(&json);
	json_sentences(&json, "warnings", report->warnings);
	page->out = json.out;
	str_puts(&page->out, ",\n  \"rows\": [");
}

static void put_value(struct json_writer *json, const struct query_value *value)
{
	struct str text = { 0 };
	switch (value->kind) {
	case QUERY_NULL:
		json_null(json, NULL);
		break;
	case QUERY_INTEGER:
		json_signed(json, NULL, value->integer);
		break;
	case QUERY_ADDRESS:
		json_hex(json, NULL, (uint64_t)value->integer, 1);
		break;
	case QUERY_REAL:
		json_real(json, NULL, value->real);
		break;
	case QUERY_TEXT:
		json_string(json, NULL, value->text);
		break;
	case QUERY_BYTES:
		query_put_bytes(&text, value);
		json_string(json, NULL, str_text(&text));
		json->out.failed |= text.failed;
		str_deinit(&text);
		break;
	}
}

static void row(struct query_page *page, const struct query_report *report,
		const struct query_value *values)
{
	str_puts(&page->out, report->nr_rows > 1 ? ",\n    " : "\n    ");
	/* Inside of another array, so that it does not end the document. */
	struct json_writer json = { .out = page->out, .one_line = true };
	json.depth = 1;
	json_open_array(&json, NULL);
	for (size_t i = 0; i < report->columns.nr; i++)
		put_value(&json, &values[i]);
	json_close(&json);
	page->out = json.out;
}

static void end(struct query_page *page, const struct query_report *report)
{
	str_puts(&page->out, report->nr_rows ? "\n  ]" : "]");
	str_printf(&page->out, ",\n  \"has_more\": %s\n}\n",
		   report->has_more ? "true" : "false");
}

const struct query_form query_json = { "json", begin, row, end };
