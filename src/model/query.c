/* query: see query.h. */
#include "model/query.h"

#include <stdlib.h>

void query_report_destroy(struct query_report *report)
{
	if (!report)
		return;
	for (size_t i = 0; i < report->columns.nr; i++)
		free(report->columns.items[i].name);
	query_column_vec_deinit(&report->columns);
	for (char **warning = report->warnings; warning && *warning; warning++)
		free(*warning);
	free(report->warnings);
	free(report->target);
	free(report->file);
	free(report->allocator);
	free(report->sql);
	free(report);
}
