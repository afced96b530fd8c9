/* lib/vm: seep/vm.h over the analysis. */
#include "seep/vm.h"

#include "analyse/vm.h"
#include "base/error.h"
#include "lib/request.h"

static struct error *bad_request(const char *what)
{
	return error_create(ERROR_USAGE, "seep_vm: %s", what);
}

static struct error *check_request(const struct seep_vm_options *request)
{
	if (!request->nr_pids + !request->file != 1)
		return bad_request("give either processes or a file");
	for (size_t i = 0; i < request->nr_pids; i++)
		if (request->pids[i] <= 0)
			return bad_request("a pid is a positive number");
	if (request->flags & ~(unsigned)SEEP_VM_CHILDREN)
		return bad_request("unknown flags");
	if (request->file && request->flags)
		return bad_request("a file has no children");
	return NULL;
}

struct error *seep_vm(const struct seep_vm_options *options, struct vm_report **report)
{
	struct seep_vm_options request;
	if (!request_copy(options, options->size, &request, sizeof(request)))
		return bad_request("the options are of an unknown version");
	struct error *error = check_request(&request);
	if (error)
		return error;
	const struct analyse_vm_options wanted = {
		.pids = request.pids,
		.nr_pids = request.nr_pids,
		.file = request.file,
		.sysroot = request.sysroot,
		.children = request.flags & SEEP_VM_CHILDREN,
		.max_pause_ms = request.max_pause_ms ? request.max_pause_ms
						     : REQUEST_PAUSE_MS,
	};
	return analyse_vm(&wanted, report);
}

void seep_vm_report_destroy(struct vm_report *report)
{
	vm_report_destroy(report);
}
