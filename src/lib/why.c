/* lib/why: seep/why.h over the analysis. */
#include "seep/why.h"

#include "analyse/why.h"
#include "base/error.h"
#include "lib/request.h"

struct error *seep_why(const struct seep_why_options *options, struct why_report **report)
{
	struct seep_why_options request;
	if (!request_copy(options, options->size, &request, sizeof(request)))
		return error_create(ERROR_USAGE,
				    "seep_why: the options are of an unknown version");
	if (request.pid <= 0)
		return error_create(ERROR_USAGE, "seep_why: a pid is a positive number");
	return analyse_why(request.pid,
			   request.max_pause_ms ? request.max_pause_ms : REQUEST_PAUSE_MS,
			   report);
}

void seep_why_report_destroy(struct why_report *report)
{
	why_report_destroy(report);
}
