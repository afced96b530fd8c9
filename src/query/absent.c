/* absent: instead of the tables, where there is no SQLite. */
#include "query/query.h"

struct error *query_run(const struct query_options *options, struct query_sink *sink,
			struct query_report **result)
{
	(void)options, (void)sink, (void)result;
	return error_remedy(
		error_create(ERROR_REFUSED,
			     "this seep was built without SQLite, which answers "
			     "its queries"),
		"install libsqlite3-dev, and build seep again");
}

bool query_table_words(size_t i, struct query_words *words)
{
	(void)i, (void)words;
	return false;
}

bool query_column_words(size_t i, size_t k, struct query_words *words)
{
	(void)i, (void)k, (void)words;
	return false;
}
