/* traced_end: see traced_end.h. */
#include "analyse/traced_end.h"

#include <string.h>

static bool is_of_one_end(const struct trace_summary *summary, const struct target *core)
{
	const uint64_t needed = TRACE_KILLED | TRACE_TO_THE_END;
	return (summary->flags & needed) == needed && core->signal &&
	       summary->code == (uint64_t)core->signal;
}

/* Files are loaded at other addresses in each run. What lies where the trace has it counts, and what the
   core has elsewhere. */
static void compare_place(const struct trace_code *code, const struct module_vec *modules,
			  size_t *same, size_t *other)
{
	bool is_there = false, is_elsewhere = false;
	for (size_t i = 0; i < modules->nr; i++) {
		const struct module *module = &modules->items[i];
		if (strcmp(module->path, code->path) != 0)
			continue;
		bool holds = code->start >= module->start && code->start < module->end;
		is_there |= holds;
		is_elsewhere |= !holds;
	}
	*same += is_there;
	*other += is_elsewhere && !is_there;
}

/* Process ids are given out again, and signals are few. */
static bool is_of_one_run(const struct trace *trace, const struct target *core)
{
	size_t same = 0, other = 0;
	for (size_t i = 0; i < trace->code.nr; i++) {
		const struct trace_code *code = &trace->code.items[i];
		/* With another program that was executed came other code. */
		if (code->is_executed)
			same = other = 0;
		if (code->path && code->end_node == UINT64_MAX)
			compare_place(code, &core->modules, &same, &other);
	}
	return same && !other;
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
	if (!is_of_one_run(trace, core))
		return error_remedy(
			error_create(ERROR_REFUSED,
				     "%s is of another run than %s: it does not have "
				     "the code where that has it",
				     path, core->path),
			"give the trace of the run that left the core; a program that "
			"another executes is recorded with seep record --follow-exec");
	if (trace->has_summary && is_of_one_end(&trace->summary, core))
		return NULL;
	return error_remedy(
		error_create(ERROR_REFUSED,
			     "%s does not end with the moment that %s is of", path,
			     core->path),
		"a trace goes with the core that the kernel wrote when it ended the "
		"recorded process; of one that runs: seep snapshot --recording TRACE");
}
