/* lib/query: seep/query.h over the tables. */
#include "seep/query.h"

#include "base/error.h"
#include "lib/request.h"
#include "query/query.h"

static struct error *bad_request(const char *what)
{
	return error_create(ERROR_USAGE, "seep_query: %s", what);
}

static struct error *check_request(const struct seep_query_options *request)
{
	if (!request->pid + !request->file != 1)
		return bad_request("give either a pid or a file");
	if (request->pid < 0)
		return bad_request("a pid is a positive number");
	if (!request->sql)
		return bad_request("give SQL");
	return NULL;
}

struct error *seep_query(const struct seep_query_options *options,
			 struct query_sink *sink, struct query_report **report)
{
	struct seep_query_options request;
	if (!request_copy(options, options->size, &request, sizeof(request)))
		return bad_request("the options are of an unknown version");
	struct error *error = check_request(&request);
	if (error)
		return error;
	const struct query_options wanted = {
		.source = {
			.pid = request.pid,
			.asker = "query",
			.file = request.file,
			.sysroot = request.sysroot,
			.max_pause_ms = request.max_pause_ms ? request.max_pause_ms
							     : REQUEST_PAUSE_MS,
			.freeze = request.freeze,
			.max_copy_bytes = request.max_copy_bytes,
		},
		.sql = request.sql,
		.max_rows = request.max_rows,
	};
	return query_run(&wanted, sink, report);
}

void seep_query_report_destroy(struct query_report *report)
{
	query_report_destroy(report);
}

bool seep_query_table(size_t i, struct query_words *words)
{
	return query_table_words(i, words);
}

bool seep_query_column(size_t i, size_t k, struct query_words *words)
{
	return query_column_words(i, k, words);
}
