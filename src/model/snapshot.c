/* snapshot: see snapshot.h. */
#include "model/snapshot.h"

#include <stdlib.h>

void snapshot_report_destroy(struct snapshot_report *report)
{
	if (!report)
		return;
	free(report->target);
	free(report->allocator);
	free(report->path);
	free(report);
}
