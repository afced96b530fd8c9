/* lib/heap: seep/heap.h over the analysis. */
#include "seep/heap.h"

#include <assert.h>

#include "base/error.h"
#include "lib/heap_request.h"
#include "lib/recording.h"
#include "lib/request.h"
#include "views/heap_views.h"

static enum analyse_heap_by by_of(enum seep_heap_by by)
{
	static const enum analyse_heap_by kinds[] = {
		[SEEP_HEAP_BY_UNSAID] = HEAP_BY_TYPE,
		[SEEP_HEAP_BY_TYPE] = HEAP_BY_TYPE,
		[SEEP_HEAP_BY_SIZE] = HEAP_BY_SIZE,
		[SEEP_HEAP_BY_ROOT] = HEAP_BY_ROOT,
		[SEEP_HEAP_BY_SITE] = HEAP_BY_SITE,
		[SEEP_HEAP_BY_ARENA] = HEAP_BY_ARENA,
		[SEEP_HEAP_BY_ZONE] = HEAP_BY_ZONE,
		[SEEP_HEAP_BY_DOMINATOR] = HEAP_BY_DOMINATOR,
	};
	return kinds[by];
}

static struct error *bad_request(const char *what)
{
	return error_create(ERROR_USAGE, "seep_heap: %s", what);
}

static struct error *check_request(const struct seep_heap_options *request, bool has_view)
{
	const char *wrong = request_check_target(request->pid, request->file);
	if (wrong)
		return bad_request(wrong);
	if (has_view && !request->view)
		return bad_request("give a view");
	if (request->flags &
	    ~(unsigned)(SEEP_HEAP_EXACT | SEEP_HEAP_TYPES | SEEP_HEAP_CONTENTS))
		return bad_request("unknown flags");
	if ((unsigned)request->by > SEEP_HEAP_BY_DOMINATOR)
		return bad_request("unknown by");
	return NULL;
}

struct error *heap_request(const struct seep_heap_options *options, bool has_view,
			   struct analyse_heap_options *wanted,
			   struct source_trace *trace)
{
	struct seep_heap_options request;
	if (!request_copy(options, options->size, &request, sizeof(request)))
		return bad_request("the options are of an unknown version");
	struct error *error = check_request(&request, has_view);
	if (error)
		return error;
	*trace = (struct source_trace){ request.recording, recording_flush };
	*wanted = (struct analyse_heap_options){
		.source = REQUEST_SOURCE(request, "heap"),
		.view = request.view,
		.asked = request.asked,
		.others = request.others,
		.filter = request.filter,
		.excludes = request.excludes,
		.fields = request.fields,
		.by = by_of(request.by),
		.by_is_said = request.by != SEEP_HEAP_BY_UNSAID,
		.max_rows = request.max_rows,
		.max_length = request.max_length,
		.exact = request.flags & SEEP_HEAP_EXACT,
		.types = request.flags & SEEP_HEAP_TYPES,
		.contents = request.flags & SEEP_HEAP_CONTENTS,
	};
	wanted->source.trace = request.recording ? trace : NULL;
	return NULL;
}

struct error *seep_heap(const struct seep_heap_options *options,
			struct heap_report **report)
{
	struct analyse_heap_options wanted;
	struct source_trace trace;
	struct error *error = heap_request(options, true, &wanted, &trace);
	return error ? error : analyse_heap(&wanted, report);
}

void seep_heap_report_destroy(struct heap_report *report)
{
	heap_report_destroy(report);
}
