/* lib/heap: seep/heap.h over the analysis. */
#include "seep/heap.h"

#include <assert.h>

#include "analyse/heap_views.h"
#include "base/error.h"
#include "lib/request.h"

#define KNOWN_FLAGS ((unsigned)(SEEP_HEAP_EXACT | SEEP_HEAP_TYPES | SEEP_HEAP_RECOMPUTE))

static_assert((int)SEEP_HEAP_BY_SIZE == (int)HEAP_BY_SIZE, "by");
static_assert((int)SEEP_HEAP_BY_ROOT == (int)HEAP_BY_ROOT, "by");

static struct error *bad_request(const char *what)
{
	return error_create(ERROR_USAGE, "seep_heap: %s", what);
}

static struct error *check_request(const struct seep_heap_options *request)
{
	if (!request->pid + !request->file != 1)
		return bad_request("give either a pid or a file");
	if (request->pid < 0)
		return bad_request("a pid is a positive number");
	if (!request->view)
		return bad_request("give a view");
	if (request->flags & ~KNOWN_FLAGS)
		return bad_request("unknown flags");
	if ((unsigned)request->by > SEEP_HEAP_BY_ROOT)
		return bad_request("unknown by");
	return NULL;
}

struct error *seep_heap(const struct seep_heap_options *options,
			struct heap_report **report)
{
	struct seep_heap_options request;
	if (!request_copy(options, options->size, &request, sizeof(request)))
		return bad_request("the options are of an unknown version");
	struct error *error = check_request(&request);
	if (error)
		return error;
	const struct analyse_heap_options wanted = {
		.source = {
			.pid = request.pid,
			.file = request.file,
			.sysroot = request.sysroot,
			.max_pause_ms = request.max_pause_ms ? request.max_pause_ms
							     : REQUEST_PAUSE_MS,
			.freeze = request.freeze,
			.max_copy_bytes = request.max_copy_bytes,
		},
		.view = request.view,
		.asked = request.asked,
		.others = request.others,
		.filter = request.filter,
		.excludes = request.excludes,
		.fields = request.fields,
		.by = (enum analyse_heap_by)request.by,
		.max_rows = request.max_rows,
		.max_length = request.max_length,
		.exact = request.flags & SEEP_HEAP_EXACT,
		.types = request.flags & SEEP_HEAP_TYPES,
		.recompute = request.flags & SEEP_HEAP_RECOMPUTE,
	};
	return analyse_heap(&wanted, report);
}

void seep_heap_report_destroy(struct heap_report *report)
{
	heap_report_destroy(report);
}
