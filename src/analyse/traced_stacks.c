/* traced_stacks: see traced_stacks.h. */
#include "analyse/traced_stacks.h"

struct gathering {
	struct traced_stacks *stacks;
	bool is_out_of_memory;
};

static void keep_block(void *context, uint32_t rank, uint64_t address, uint64_t size)
{
	struct gathering *gathering = context;
	struct traced_stacks *stacks = gathering->stacks;
	const struct trace_request *request =
		traced_blocks_request(&stacks->traced, rank, size);
	if (!request)
		return;
	const struct heap_block block = {
		.address = address,
		.size = request->size,
		.node = request->node,
	};
	gathering->is_out_of_memory |= !heap_block_vec_push(&stacks->blocks, block);
}

struct error *traced_stacks_find(const struct source_trace *trace,
				 const struct target *target,
				 const struct traced_look *before,
				 const struct look *look, struct traced_stacks *stacks)
{
	struct gathering gathering = { .stacks = stacks };
	*stacks = (struct traced_stacks){ 0 };
	struct error *error =
		traced_blocks_read(trace, target, before, look, &stacks->traced);
	if (error)
		return error;
	space_each(&look->graph.space, keep_block, &gathering);
	return gathering.is_out_of_memory
		       ? error_no_memory()
		       : call_sites_create(trace_reader_trace(stacks->traced.reader),
					   &stacks->blocks, &stacks->sites);
}

void traced_stacks_deinit(struct traced_stacks *stacks)
{
	call_sites_destroy(stacks->sites);
	heap_block_vec_deinit(&stacks->blocks);
	traced_blocks_deinit(&stacks->traced);
	*stacks = (struct traced_stacks){ 0 };
}
