/* lib/why: seep/why.h over the analysis. */
#include "seep/why.h"

#include "analyse/why.h"
#include "base/error.h"
#include "lib/recording.h"
#include "lib/request.h"

struct error *seep_why(const struct seep_why_options *options, struct why_report **report)
{
	struct seep_why_options request;
	if (!request_copy(options, options->size, &request, sizeof(request)))
		return error_create(ERROR_USAGE,
				    "seep_why: the options are of an unknown version");
	if (request.pid <= 0)
		return error_create(ERROR_USAGE, "seep_why: a pid is a positive number");
	if ((unsigned)request.freeze > SEEP_FREEZE_STOP)
		return error_create(ERROR_USAGE, "seep_why: unknown freeze");
	const struct source_trace trace = { request.recording, recording_flush };
	const struct analyse_why_options wanted = {
		.pid = request.pid,
		.max_pause_ms = request.max_pause_ms ? request.max_pause_ms
						     : REQUEST_PAUSE_MS,
		.freeze = (unsigned)request.freeze,
		.max_copy_bytes = request.max_copy_bytes,
		.trace = request.recording ? &trace : NULL,
	};
	return analyse_why(&wanted, report);
}

void seep_why_report_destroy(struct why_report *report)
{
	why_report_destroy(report);
}
