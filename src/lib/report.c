/* lib/report: seep/report.h over the analysis. */
#include "seep/report.h"

#include "base/error.h"
#include "lib/request.h"
#include "traces/recording.h"

#define ALL_FLAGS                                                                        \
	(SEEP_REPORT_COLLAPSE_RECURSION | SEEP_REPORT_HIDE_LIBS | SEEP_REPORT_TREE |     \
	 SEEP_REPORT_TREE_LINES)

static_assert((int)SEEP_REPORT_BOTTOM_UP == (int)RECORDING_BOTTOM_UP, "groups");
static_assert((int)SEEP_REPORT_TEMPORARY == (int)RECORDING_TEMPORARY, "orders");
static_assert((int)SEEP_REPORT_COLLAPSE_RECURSION == (int)RECORDING_COLLAPSE, "flags");
static_assert((int)SEEP_REPORT_HIDE_LIBS == (int)RECORDING_HIDE_LIBS, "flags");
static_assert((int)SEEP_REPORT_TREE == (int)RECORDING_TREE, "flags");
static_assert((int)SEEP_REPORT_TREE_LINES == (int)RECORDING_TREE_LINES, "flags");

static struct error *bad_request(const char *what)
{
	return error_create(ERROR_USAGE, "seep_report: %s", what);
}

static struct error *check_request(const struct seep_report_options *request)
{
	bool wants_tree = request->flags & (SEEP_REPORT_TREE | SEEP_REPORT_TREE_LINES);
	if (!request->file)
		return bad_request("give the trace to read");
	if ((unsigned)request->group >= RECORDING_NR_GROUPS)
		return bad_request("unknown group");
	if ((unsigned)request->order >= RECORDING_NR_ORDERS)
		return bad_request("unknown order");
	if (request->flags & ~(unsigned)ALL_FLAGS)
		return bad_request("unknown flags");
	if (wants_tree && (request->group == SEEP_REPORT_BY_THREAD ||
			   request->group == SEEP_REPORT_BY_MARK))
		return bad_request("threads and marks have no call tree");
	if (request->address && (wants_tree || request->group))
		return bad_request("the history of an address is not grouped");
	return NULL;
}

static struct replay_moment moment_of(const struct seep_report_moment *moment)
{
	if (!moment)
		return (struct replay_moment){ .is_set = false };
	return (struct replay_moment){ true, moment->mark, moment->time_us };
}

static struct error *take_request(const struct seep_report_options *options,
				  struct recording_options *wanted)
{
	struct seep_report_options request;
	if (!request_copy(options, options->size, &request, sizeof(request)))
		return bad_request("the options are of an unknown version");
	*wanted = (struct recording_options){
		.file = request.file,
		.group = (enum recording_group)request.group,
		.order = (enum recording_order)request.order,
		.flags = request.flags,
		.max_rows = request.max_rows,
		.from = moment_of(request.from),
		.to = moment_of(request.to),
		.one_thread = request.thread,
		.thread = request.thread,
		.large_bytes = request.large_bytes,
		.has_address = request.address,
		.address = request.address ? *request.address : 0,
	};
	return check_request(&request);
}

struct error *seep_report(const struct seep_report_options *options,
			  struct recording_report **report)
{
	struct recording_options wanted;
	struct error *error = take_request(options, &wanted);
	return error ? error : recording_read(&wanted, report);
}

void seep_report_destroy(struct recording_report *report)
{
	recording_report_destroy(report);
}

struct error *seep_diff(const struct seep_report_options *before,
			const struct seep_report_options *after,
			struct recording_diff **diff)
{
	struct recording_options wanted[2] = { 0 };
	struct error *error = take_request(before, &wanted[0]);
	if (!error)
		error = take_request(after, &wanted[1]);
	if (error)
		return error;
	if (wanted[0].group != wanted[1].group || wanted[0].order != wanted[1].order)
		return bad_request("both traces need the same group and order");
	if (wanted[0].group > RECORDING_BY_MODULE)
		return bad_request("traces are compared by site, function or module");
	return recording_compare(&wanted[0], &wanted[1], diff);
}

void seep_diff_destroy(struct recording_diff *diff)
{
	recording_diff_destroy(diff);
}
