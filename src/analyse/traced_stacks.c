/* traced_stacks: see traced_stacks.h. */
#include "analyse/traced_stacks.h"

struct error *traced_stacks_find(const struct source_trace *trace,
				 const struct target *target,
				 const struct traced_look *before,
				 const struct look *look, struct traced_stacks *stacks)
{
	traced_stacks_deinit(stacks);
	struct error *error =
		traced_blocks_read(trace, target, before, look, &stacks->traced);
	return error ? error
		     : call_sites_create(trace_reader_trace(stacks->traced.reader), NULL,
					 &stacks->sites);
}

void traced_stacks_deinit(struct traced_stacks *stacks)
{
	call_sites_destroy(stacks->sites);
	traced_blocks_deinit(&stacks->traced);
	*stacks = (struct traced_stacks){ 0 };
}

struct error *traced_stacks_of_block(const struct traced_stacks *stacks, uint32_t rank,
				     uint64_t size, const struct call_site **site)
{
	const struct trace_request *request =
		traced_blocks_request(&stacks->traced, rank, size);
	*site = NULL;
	return request ? call_sites_of_node(stacks->sites, request->node, site) : NULL;
}
