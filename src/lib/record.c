/* lib/record: seep/record.h over the recorder. */
#include "seep/record.h"

#include "base/error.h"
#include "lib/request.h"
#include "record/recorder.h"

/* The innermost so many of a stack unless said. */
#define MAX_FRAMES 256

static struct error *bad_request(const char *what)
{
	return error_create(ERROR_USAGE, "seep_record: %s", what);
}

struct error *seep_record(const struct seep_record_options *options,
			  struct record_report **report)
{
	struct seep_record_options request;
	int status, code;
	if (!request_copy(options, options->size, &request, sizeof(request)))
		return bad_request("the options are of an unknown version");
	if (!request.command || !request.command[0])
		return bad_request("give a command");
	if (request.flags & ~(unsigned)(SEEP_RECORD_DROP | SEEP_RECORD_ADDRESSES))
		return bad_request("unknown flags");
	const struct recorder_options wanted = {
		.command = request.command,
		.output = request.output,
		.min_size = request.min_size,
		.max_frames = request.max_frames ? request.max_frames : MAX_FRAMES,
		.drops = request.flags & SEEP_RECORD_DROP,
		.keeps_addresses = request.flags & SEEP_RECORD_ADDRESSES,
		.on_start = request.on_start,
		.context = request.context,
	};
	struct error *error = recorder_run(&wanted, &status, &code, report);
	if (request.command_status)
		*request.command_status = status;
	if (request.start_code)
		*request.start_code = code;
	return error;
}

void seep_record_report_destroy(struct record_report *report)
{
	record_report_destroy(report);
}
