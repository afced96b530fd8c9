/* lib/snapshot: seep/snapshot.h over the analysis. */
#include "seep/snapshot.h"

#include <string.h>

#include "analyse/snapshot.h"
#include "base/error.h"
#include "lib/recording.h"
#include "lib/request.h"

static_assert((int)SEEP_SNAPSHOT_CONTENTS == (int)ANALYSE_CONTENTS, "flags");
static_assert((int)SEEP_SNAPSHOT_TYPES == (int)ANALYSE_WITH_TYPES, "flags");
static_assert((int)SEEP_SNAPSHOT_ANSWERS == (int)ANALYSE_WITH_ANSWERS, "flags");

#define KNOWN_FLAGS                                                                      \
	((unsigned)(SEEP_SNAPSHOT_CONTENTS | SEEP_SNAPSHOT_TYPES | SEEP_SNAPSHOT_ANSWERS))

static struct error *bad_request(const char *what)
{
	return error_create(ERROR_USAGE, "seep_snapshot: %s", what);
}

static struct error *check_request(const struct seep_snapshot_options *request)
{
	if (!request->pid + !request->file != 1)
		return bad_request("give either a pid or a file");
	if (request->pid < 0)
		return bad_request("a pid is a positive number");
	if (!request->output)
		return bad_request("give the file to write");
	if (request->flags & ~KNOWN_FLAGS)
		return bad_request("unknown flags");
	return NULL;
}

struct error *seep_snapshot(const struct seep_snapshot_options *options,
			    struct snapshot_report **report)
{
	struct seep_snapshot_options request;
	if (!request_copy(options, options->size, &request, sizeof(request)))
		return bad_request("the options are of an unknown version");
	struct error *error = check_request(&request);
	if (error)
		return error;
	const struct source_trace trace = { request.recording, recording_flush };
	const struct analyse_snapshot_options wanted = {
		.source = {
			.pid = request.pid,
			.asker = "snapshot -o FILE",
			.file = request.file,
			.max_pause_ms = request.max_pause_ms ? request.max_pause_ms
							     : REQUEST_PAUSE_MS,
			.from_memory = true,
			.trace = request.recording ? &trace : NULL,
		},
		.output = request.output,
		.flags = request.flags,
	};
	return analyse_snapshot(&wanted, report);
}

void seep_snapshot_report_destroy(struct snapshot_report *report)
{
	snapshot_report_destroy(report);
}
