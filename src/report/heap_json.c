/* heap_json: a view of a heap for programs. doc/heap.schema.json describes it. */
#include "report/renderers_priv.h"

#include "report/json_parts_priv.h"

static void put_target(struct json_writer *json, const struct heap_report *report)
{
	json_open_object(json, "target");
	json_target(json, report->pid, report->target ? report->target : "");
	json_string(json, "file", report->file);
	json_string(json, "allocator", report->allocator);
	json_close(json);
}

static void put_amount(struct json_writer *json, const char *key,
		       struct heap_amount amount)
{
	json_open_object(json, key);
	json_integer(json, "blocks", amount.blocks);
	json_integer(json, "bytes", amount.bytes);
	json_close(json);
}

static void put_summary(struct json_writer *json, const struct heap_report *report)
{
	json_open_object(json, "summary");
	put_amount(json, "all", report->all);
	put_amount(json, "live", report->live);
	put_amount(json, "lost", report->lost);
	put_amount(json, "typed", report->typed);
	json_integer(json, "edges", report->edges);
	json_integer(json, "roots", report->roots);
	json_number(json, "coverage_percent", report->coverage_percent, 6);
	json_number(json, "pause_ms", report->pause_ms, 3);
	json_close(json);
}

static void put_cell(struct json_writer *json, const struct heap_column *column,
		     const struct heap_cell *cell)
{
	if (!cell->is_known)
		json_null(json, column->key);
	else if (column->unit == HEAP_TEXT || column->unit == HEAP_SENTENCE)
		json_string(json, column->key, cell->text);
	else if (column->unit == HEAP_ADDRESS)
		json_hex(json, column->key, cell->number, 1);
	else if (column->unit == HEAP_PERCENT)
		json_number(json, column->key, (double)cell->number / 100, 2);
	else
		json_integer(json, column->key, cell->number);
}

static void put_row(struct json_writer *json, const struct heap_report *report,
		    const struct heap_row *row)
{
	json_open_object(json, NULL);
	if (report->is_tree)
		json_integer(json, "depth", row->depth);
	for (size_t i = 0; i < report->nr_columns; i++)
		put_cell(json, &report->columns[i], &row->cells[i]);
	json_close(json);
}

struct str heap_json(const struct heap_report *report,
		     const struct report_options *options)
{
	(void)options;
	struct json_writer json = { 0 };
	json_open_object(&json, NULL);
	json_string(&json, "schema", "seep.heap/1");
	json_string(&json, "view", report->view);
	json_string(&json, "asked", report->asked);
	put_target(&json, report);
	put_summary(&json, report);
	json_string(&json, "verdict", report->verdict);
	json_open_array(&json, "rows");
	for (size_t i = 0; i < report->rows.nr; i++)
		put_row(&json, report, &report->rows.items[i]);
	json_close(&json);
	json_integer(&json, "rows_left_out", report->rows_left_out);
	json_sentences(&json, "warnings", report->warnings);
	json_close(&json);
	return json.out;
}
