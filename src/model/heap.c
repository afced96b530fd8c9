/* heap: see heap.h. */
#include "model/heap.h"

#include <stdlib.h>

void heap_row_deinit(struct heap_row *row)
{
	for (size_t i = 0; i < HEAP_COLUMNS_MAX; i++)
		free(row->cells[i].text);
	*row = (struct heap_row){ 0 };
}

void heap_report_destroy(struct heap_report *report)
{
	if (!report)
		return;
	for (size_t i = 0; i < report->rows.nr; i++)
		heap_row_deinit(&report->rows.items[i]);
	heap_row_vec_deinit(&report->rows);
	for (char **warning = report->warnings; warning && *warning; warning++)
		free(*warning);
	free(report->warnings);
	free(report->target);
	free(report->file);
	free(report->allocator);
	free(report->asked);
	free(report->verdict);
	free(report);
}
