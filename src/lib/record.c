/* lib/record: seep/record.h over the recorder. */
#include "seep/record.h"

#include <assert.h>

#include "base/error.h"
#include "lib/request.h"
#include "record/control.h"
#include "record/recorder.h"

static_assert((int)SEEP_RECORD_START == (int)CONTROL_START, "verbs");
static_assert((int)SEEP_RECORD_STOP == (int)CONTROL_STOP, "verbs");
static_assert((int)SEEP_RECORD_MARK == (int)CONTROL_MARK, "verbs");

#define ALL_FLAGS                                                                        \
	((unsigned)(SEEP_RECORD_DROP | SEEP_RECORD_ADDRESSES | SEEP_RECORD_PAUSED |      \
		    SEEP_RECORD_FOLLOW_EXEC))

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
	if (request.flags & ~ALL_FLAGS)
		return bad_request("unknown flags");
	const struct recorder_options wanted = {
		.command = request.command,
		.output = request.output,
		.min_size = request.min_size,
		.max_frames = request.max_frames ? request.max_frames : MAX_FRAMES,
		.drops = request.flags & SEEP_RECORD_DROP,
		.keeps_addresses = request.flags & SEEP_RECORD_ADDRESSES,
		.is_paused = request.flags & SEEP_RECORD_PAUSED,
		.follows = request.flags & SEEP_RECORD_FOLLOW_EXEC,
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

struct error *seep_record_control(pid_t pid, enum seep_record_verb verb, const char *name)
{
	if (pid <= 0 || verb < SEEP_RECORD_START || verb > SEEP_RECORD_MARK)
		return bad_request("give a pid and a verb");
	if ((verb == SEEP_RECORD_MARK) != !!name)
		return bad_request("a mark has a name, and nothing else has");
	return control_ask(pid, (enum control_verb)verb, name);
}
