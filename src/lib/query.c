/* lib/query: seep/query.h over the tables. */
#include "seep/query.h"

#include "base/error.h"
#include "lib/recording.h"
#include "lib/request.h"
#include "query/query.h"

static struct error *bad_request(const char *what)
{
	return error_create(ERROR_USAGE, "seep_query: %s", what);
}

static struct error *check_request(const struct seep_query_options *request)
{
	const char *wrong = request_check_target(request->pid, request->file);
	if (wrong)
		return bad_request(wrong);
	if (!request->sql)
		return bad_request("give SQL");
	if (request->flags & ~(unsigned)SEEP_QUERY_TYPES)
		return bad_request("unknown flags");
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
	const struct source_trace trace = { request.recording, recording_flush };
	struct query_options wanted = {
		.source = REQUEST_SOURCE(request, "query"),
		.sql = request.sql,
		.max_rows = request.max_rows,
		.types = request.flags & SEEP_QUERY_TYPES,
	};
	wanted.source.trace = request.recording ? &trace : NULL;
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
