/* core: see core.h. */
#include "model/core.h"

#include <stdlib.h>

void core_report_destroy(struct core_report *report)
{
	if (!report)
		return;
	free(report->target);
	free(report->path);
	free(report);
}
