/* record: see record.h. */
#include "model/record.h"

#include <stdlib.h>

void record_report_destroy(struct record_report *report)
{
	if (!report)
		return;
	free(report->target);
	free(report->path);
	sentences_deinit(&report->warnings);
	free(report);
}
