/* traced_end: see traced_end.h. */
#include "analyse/traced_end.h"

static bool is_of_one_end(const struct trace_summary *summary, const struct target *core)
{
	const uint64_t needed = TRACE_KILLED | TRACE_TO_THE_END;
	return (summary->flags & needed) == needed && core->signal &&
	       summary->code == (uint64_t)core->signal;
}

struct error *traced_end_check(const char *path, const struct trace *trace,
			       const struct target *core)
{
	if (trace->run.pid != (uint64_t)core->pid)
		return error_remedy(
			error_create(ERROR_REFUSED,
				     "%s is of process %llu, and %s of process %d", path,
				     (unsigned long long)trace->run.pid, core->path,
				     (int)core->pid),
			"give the trace of the run that left the core");
	if (trace->has_summary && is_of_one_end(&trace->summary, core))
		return NULL;
	return error_remedy(
		error_create(ERROR_REFUSED,
			     "%s does not end with the moment that %s is of", path,
			     core->path),
		"a trace goes with the core that the kernel wrote when it ended the "
		"recorded process; of one that runs: seep snapshot --recording TRACE");
}
