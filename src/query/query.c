/* query: see query.h. */
#include "query/query.h"

#include <inttypes.h>
#include <string.h>

#include "query/functions.h"
#include "query/rules.h"
#include "query/table.h"

struct query_run {
	const struct query_options *options;
	struct query_sink *sink;
	struct query_report *report;
	struct query_rules rules;
	struct query_heap heap;
	sqlite3 *database;
	sqlite3_stmt *statement;
};

/* --- the database ----------------------------------------------------------------------- */

/* So many steps of SQLite's machine pass between two looks at whether to end: a few ms. */
#define STEPS 100000

static int is_stopped(void *context)
{
	const struct query_run *run = context;
	return run->sink->is_stopped && run->sink->is_stopped(run->sink);
}

static struct error *open_database(struct query_run *run)
{
	int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_MEMORY | SQLITE_OPEN_NOMUTEX;
	if (sqlite3_open_v2(":memory:", &run->database, flags, NULL) != SQLITE_OK)
		return error_create(ERROR_SYSTEM, "cannot open a database in memory: %s",
				    sqlite3_errmsg(run->database));
	/* What is sorted is no file either. */
	if (sqlite3_exec(run->database, "PRAGMA temp_store = 2", NULL, NULL, NULL) !=
	    SQLITE_OK)
		return error_no_memory();
	struct error *error = query_tables_open(run->database, &run->heap);
	if (!error)
		error = query_functions_open(run->database);
	query_rules_set(run->database, &run->rules);
	sqlite3_progress_handler(run->database, STEPS, is_stopped, run);
	return error;
}

static struct error *refuse(const char *what)
{
	return error_remedy(error_create(ERROR_USAGE,
					 "seep query only reads: %s is not allowed",
					 what),
			    "begin with SELECT, WITH, VALUES or EXPLAIN");
}

static struct error *no_memory(void)
{
	if (!query_rules_met_limit())
		return error_no_memory();
	return error_remedy(
		error_create(ERROR_SYSTEM,
			     "the SQL needs more than %d MB of memory for what it sorts, "
			     "groups or gathers, and was ended",
			     (int)(QUERY_MEMORY_MOST / 1000000)),
		"have it look at fewer rows (WHERE), or end a WITH RECURSIVE by a LIMIT");
}

static struct error *interrupted(const struct query_run *run)
{
	return error_create(ERROR_SYSTEM,
			    "the SQL was interrupted, after %" PRIu64 " rows",
			    run->report->nr_rows);
}

/* What SQLite says, or what a table of ours could not do. */
static struct error *explain(struct query_run *run)
{
	struct error *error = run->heap.error;
	run->heap.error = NULL;
	if (error)
		return error;
	if (run->rules.refused)
		return refuse(run->rules.refused);
	int status = sqlite3_errcode(run->database);
	if (status == SQLITE_NOMEM)
		return no_memory();
	if (status == SQLITE_INTERRUPT)
		return interrupted(run);
	const char *message = sqlite3_errmsg(run->database);
	int offset = sqlite3_error_offset(run->database);
	if (offset >= 0)
		error = error_create(ERROR_USAGE, "the SQL is wrong at character %d: %s",
				     offset + 1, message);
	else
		error = error_create(ERROR_USAGE, "the SQL is wrong: %s", message);
	if (!strncmp(message, "no such table", 13) ||
	    !strncmp(message, "no such column", 14))
		error = error_remedy(error, "seep query --tables");
	return error;
}

/* Whether there is more than space and comments: a statement, that is. */
static bool is_something(struct query_run *run, const char *rest)
{
	sqlite3_stmt *more = NULL;
	int status = sqlite3_prepare_v2(run->database, rest, -1, &more, NULL);
	sqlite3_finalize(more);
	return status != SQLITE_OK || more;
}

static struct error *prepare(struct query_run *run)
{
	const char *rest = NULL, *sql = run->options->sql;
	if (sqlite3_prepare_v2(run->database, sql, -1, &run->statement, &rest) !=
	    SQLITE_OK)
		return explain(run);
	if (!run->statement)
		return error_remedy(error_create(ERROR_USAGE,
						 "there is nothing in the SQL"),
				    "seep query TARGET 'SELECT count(*) FROM blocks'");
	if (!sqlite3_stmt_readonly(run->statement))
		return refuse("this statement");
	if (is_something(run, rest))
		return error_create(
			ERROR_USAGE,
			"seep query asks one thing at a time, not also \"%s\"", rest);
	return NULL;
}

/* --- rows ------------------------------------------------------------------------------- */

static struct error *name_columns(struct query_run *run)
{
	int nr = sqlite3_column_count(run->statement);
	for (int i = 0; i < nr; i++) {
		const char *name = sqlite3_column_name(run->statement, i);
		const char *type = sqlite3_column_decltype(run->statement, i);
		struct query_column column = {
			.name = name ? strdup(name) : NULL,
			.is_address = type && !strncmp(type, "ADDRESS", 7),
		};
		if (column.name && query_column_vec_push(&run->report->columns, column))
			continue;
		free(column.name);
		return error_no_memory();
	}
	return NULL;
}

static struct query_value value_of(struct query_run *run, int i)
{
	static const enum query_kind kinds[] = {
		[SQLITE_NULL] = QUERY_NULL,  [SQLITE_INTEGER] = QUERY_INTEGER,
		[SQLITE_FLOAT] = QUERY_REAL, [SQLITE_TEXT] = QUERY_TEXT,
		[SQLITE_BLOB] = QUERY_BYTES,
	};
	sqlite3_stmt *row = run->statement;
	struct query_value value = { .kind = kinds[sqlite3_column_type(row, i)] };
	switch (value.kind) {
	case QUERY_INTEGER:
		value.integer = sqlite3_column_int64(row, i);
		if (run->report->columns.items[i].is_address)
			value.kind = QUERY_ADDRESS;
		break;
	case QUERY_REAL:
		value.real = sqlite3_column_double(row, i);
		break;
	case QUERY_TEXT:
		value.text = (const char *)sqlite3_column_text(row, i);
		value.length = (size_t)sqlite3_column_bytes(row, i);
		break;
	case QUERY_BYTES:
		value.text = sqlite3_column_blob(row, i);
		value.length = (size_t)sqlite3_column_bytes(row, i);
		break;
	default:
		break;
	}
	return value;
}

static struct error *put_row(struct query_run *run, struct query_value *values)
{
	for (size_t i = 0; i < run->report->columns.nr; i++) {
		values[i] = value_of(run, (int)i);
		if (values[i].kind == QUERY_TEXT && !values[i].text)
			return error_no_memory();
	}
	run->report->nr_rows++;
	return run->sink->row(run->sink, run->report, values);
}

static struct error *put_rows(struct query_run *run)
{
	struct query_report *report = run->report;
	struct query_value *values = calloc(report->columns.nr + 1, sizeof(*values));
	struct error *error = NULL;
	int status = SQLITE_ROW;
	if (!values)
		return error_no_memory();
	while (!error && (status = sqlite3_step(run->statement)) == SQLITE_ROW) {
		report->has_more = run->options->max_rows &&
				   report->nr_rows == run->options->max_rows;
		if (report->has_more)
			break;
		error = is_stopped(run) ? interrupted(run) : put_row(run, values);
	}
	if (!error && status != SQLITE_ROW && status != SQLITE_DONE)
		error = explain(run);
	free(values);
	return error;
}

/* --- all of it -------------------------------------------------------------------------- */

static struct error *describe(struct query_run *run)
{
	struct query_report *report = run->report;
	const struct subject *subject = &run->heap.look->subject;
	const char *file = run->options->source.file;
	struct sentence_vec warnings = { 0 };
	report->pid = subject->pid;
	report->target = strdup(subject->name);
	report->allocator = strdup(subject->allocator);
	report->file = file ? strdup(file) : NULL;
	report->sql = strdup(run->options->sql);
	if (!report->target || !report->allocator || !report->file != !file ||
	    !report->sql)
		return error_no_memory();
	struct error *error = look_warnings(run->heap.look, &warnings);
	if (!error)
		error = sentences_take(&warnings, &report->warnings);
	sentences_deinit(&warnings);
	return error ? error : name_columns(run);
}

/* Asks an empty heap first, so that wrong SQL stops no process. */
static struct error *check(struct query_run *run)
{
	query_heap_init(&run->heap);
	struct error *error = open_database(run);
	if (!error)
		error = prepare(run);
	sqlite3_finalize(run->statement);
	run->statement = NULL;
	return error;
}

static struct error *answer(struct query_run *run)
{
	struct error *error = check(run);
	if (!error)
		error = query_heap_open(&run->options->source, run->rules.needs,
					run->options->types, &run->heap);
	if (!error)
		error = prepare(run);
	if (!error)
		error = describe(run);
	if (!error)
		error = run->sink->begin(run->sink, run->report);
	return error ? error : put_rows(run);
}

struct error *query_run(const struct query_options *options, struct query_sink *sink,
			struct query_report **result)
{
	struct query_run *run = calloc(1, sizeof(*run));
	struct query_report *report = calloc(1, sizeof(*report));
	if (!run || !report) {
		free(run);
		free(report);
		return error_no_memory();
	}
	run->options = options;
	run->sink = sink;
	run->report = report;
	struct error *error = answer(run);
	sqlite3_finalize(run->statement);
	sqlite3_close(run->database);
	query_heap_close(&run->heap);
	free(run);
	if (error)
		query_report_destroy(report);
	else
		*result = report;
	return error;
}

/* --- what can be asked ------------------------------------------------------------------ */

bool query_table_words(size_t i, struct query_words *words)
{
	const struct query_table *table = query_table_at(i);
	if (table)
		*words = (struct query_words){ .name = table->name, .help = table->help };
	return table;
}

bool query_column_words(size_t i, size_t k, struct query_words *words)
{
	static const char *const types[QUERY_TYPE_NR] = {
		[QUERY_TYPE_INTEGER] = "integer",
		[QUERY_TYPE_ADDRESS] = "address",
		[QUERY_TYPE_TEXT] = "text",
	};
	const struct query_table *table = query_table_at(i);
	if (!table || k >= table->nr_fields)
		return false;
	*words = (struct query_words){
		.name = table->fields[k].name,
		.type = types[table->fields[k].type],
		.help = table->fields[k].help,
	};
	return true;
}
