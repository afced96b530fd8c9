/* live_sites: see live_sites.h. */
#include "analyse/live_sites.h"

#include <string.h>

#include "analyse/site_naming.h"

/* --- before --------------------------------------------------------------------------- */

static void put(struct live_sites *sites, uint64_t address, uint64_t number)
{
	uint64_t *known = map_at(&sites->requests, address);
	if (known)
		*known = number;
	sites->is_out_of_memory |= !known;
}

static void begin_block(struct traced_visitor *visitor, uint64_t address,
			uint32_t request, uint64_t time_us, bool is_later)
{
	(void)time_us;
	if (!is_later)
		put((struct live_sites *)visitor, address, (uint64_t)request + 1);
}

/* A death of another request is of the block before. */
static void end_block(struct traced_visitor *visitor, uint64_t address, uint32_t request,
		      bool is_later)
{
	struct live_sites *sites = (struct live_sites *)visitor;
	const uint64_t *known = map_find(&sites->requests, address);
	if (!is_later && known && *known == (uint64_t)request + 1)
		put(sites, address, 0);
}

static void forget_all(struct traced_visitor *visitor)
{
	struct live_sites *sites = (struct live_sites *)visitor;
	map_deinit(&sites->requests);
	sites->requests = (struct map){ 0 };
}

struct error *live_sites_open(const struct source_trace *trace, pid_t pid,
			      struct live_sites *sites)
{
	*sites = (struct live_sites){ .trace = trace, .pid = pid };
	sites->visitor = (struct traced_visitor){ begin_block, end_block, forget_all, 0 };
	struct error *error = traced_look_begin(trace, pid, &sites->before);
	if (!error)
		error = trace_reader_open(trace->path, &sites->reader);
	if (!error)
		error = traced_events_read(sites->reader, &sites->before,
					   &sites->visitor);
	if (!error)
		error = call_sites_create(trace_reader_trace(sites->reader), NULL,
					  &sites->stacks);
	return !error && sites->is_out_of_memory ? error_no_memory() : error;
}

void live_sites_close(struct live_sites *sites)
{
	call_sites_destroy(sites->stacks);
	trace_reader_close(sites->reader);
	map_deinit(&sites->requests);
	map_deinit(&sites->later);
}

uint32_t live_sites_node(const struct live_sites *sites, uint64_t address)
{
	const uint64_t *number = map_find(&sites->requests, address);
	const struct trace *trace = trace_reader_trace(sites->reader);
	return number && *number ? trace->requests.items[*number - 1].node : 0;
}

/* --- afterwards ------------------------------------------------------------------------ */

static void note(struct traced_visitor *visitor, uint64_t address, bool is_later)
{
	struct live_sites *sites = (struct live_sites *)visitor;
	if (is_later && !map_at(&sites->later, address))
		sites->is_out_of_memory = true;
}

static void note_begin(struct traced_visitor *visitor, uint64_t address, uint32_t request,
		       uint64_t time_us, bool is_later)
{
	(void)request, (void)time_us;
	note(visitor, address, is_later);
}

static void note_end(struct traced_visitor *visitor, uint64_t address, uint32_t request,
		     bool is_later)
{
	(void)request;
	note(visitor, address, is_later);
}

static void note_nothing(struct traced_visitor *visitor)
{
	(void)visitor;
}

struct error *live_sites_doubts(struct live_sites *sites, uint64_t *nr)
{
	struct trace_reader *reader = NULL;
	sites->visitor = (struct traced_visitor){ note_begin, note_end, note_nothing, 0 };
	struct error *error = sites->trace->flush(sites->pid, sites->trace->path);
	if (!error)
		error = trace_reader_open(sites->trace->path, &reader);
	if (!error)
		error = traced_events_read(reader, &sites->before, &sites->visitor);
	trace_reader_close(reader);
	*nr = sites->later.nr;
	return !error && sites->is_out_of_memory ? error_no_memory() : error;
}

struct error *live_sites_name(struct live_sites *sites, uint32_t node, char **name)
{
	const struct call_site *site = NULL;
	struct call_stack stack = { 0 };
	struct error *error = call_sites_of_node(sites->stacks, node, &site);
	if (!error && site)
		error = call_sites_tell(sites->stacks, site, &stack);
	*name = NULL;
	if (!error)
		*name = stack.frames.nr ? site_label(&stack) : strdup("site not known");
	call_stack_deinit(&stack);
	return error || *name ? error : error_no_memory();
}
