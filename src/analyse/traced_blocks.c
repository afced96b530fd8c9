/* traced_blocks: see traced_blocks.h. */
#include "analyse/traced_blocks.h"

#include <string.h>

#include "analyse/traced_end.h"

struct reading {
	struct traced_visitor visitor; /* first */
	const struct space *space;
	struct traced_block *blocks;
	uint64_t nr_blocks;
};

/* What is known of the block that begins at an address; NULL: there was none in the look. */
static struct traced_block *traced_at(const struct traced_visitor *visitor,
				      uint64_t address)
{
	const struct reading *reading = (const struct reading *)visitor;
	uint64_t offset = space_offset(reading->space, address);
	if (offset == SPACE_NONE)
		return NULL;
	struct space_hit hit = space_find(reading->space, offset);
	return hit.rank == RANK_NONE || hit.distance ? NULL : &reading->blocks[hit.rank];
}

/* A death of another request is of the block before, whose address was given out again before
   that was told. After the look that is no help: then all at the address is doubtful. */
static void end_block(struct traced_visitor *visitor, uint64_t address, uint32_t request,
		      bool is_later)
{
	struct traced_block *known = traced_at(visitor, address);
	if (known && (is_later || known->request == request + 1))
		known->request = 0;
}

static void begin_block(struct traced_visitor *visitor, uint64_t address,
			uint32_t request, uint64_t time_us, bool is_later)
{
	struct traced_block *known = traced_at(visitor, address);
	if (known)
		*known = (struct traced_block){
			.request = is_later ? 0 : request + 1,
			.at = (uint32_t)(time_us / TRACED_UNIT_US),
		};
}

static void forget_all(struct traced_visitor *visitor)
{
	const struct reading *reading = (const struct reading *)visitor;
	memset(reading->blocks, 0, reading->nr_blocks * sizeof(*reading->blocks));
}

static struct error *read_events(const struct source_trace *trace,
				 const struct target *target,
				 const struct traced_look *before,
				 struct traced_blocks *blocks,
				 struct traced_visitor *visitor)
{
	struct error *error = trace_reader_open(trace->path, &blocks->reader);
	if (!error)
		error = traced_events_read(blocks->reader, before, visitor);
	if (!error && target->path)
		error = traced_end_check(trace->path, trace_reader_trace(blocks->reader),
					 target);
	blocks->until_us = visitor->until_us;
	return error;
}

struct error *traced_blocks_read(const struct source_trace *trace,
				 const struct target *target,
				 const struct traced_look *before,
				 const struct look *look, struct traced_blocks *blocks)
{
	const uint64_t nr = look->graph.nr_blocks;
	*blocks = (struct traced_blocks){ 0 };
	if (!area_reserve(&blocks->blocks, (nr + 1) * sizeof(struct traced_block)))
		return error_no_memory();
	struct reading reading = {
		.visitor = { begin_block, end_block, forget_all, 0 },
		.space = &look->graph.space,
		.blocks = blocks->blocks.memory,
		.nr_blocks = nr,
	};
	struct error *error = target->path ? NULL
					   : trace->flush(target->pid, trace->path);
	return error ? error
		     : read_events(trace, target, before, blocks, &reading.visitor);
}

void traced_blocks_deinit(struct traced_blocks *blocks)
{
	trace_reader_close(blocks->reader);
	area_release(&blocks->blocks);
}

/* An address may have been given out by who is not recorded. */
static bool is_possible(uint64_t size, uint64_t requested)
{
	uint64_t slack = size - requested;
	return requested <= size &&
	       (slack <= 64 || slack <= size / 4 || (slack <= 4096 && size >= 65536));
}

const struct trace_request *traced_blocks_request(const struct traced_blocks *blocks,
						  uint32_t rank, uint64_t size)
{
	const struct traced_block *block = traced_block(blocks, rank);
	const struct trace *trace = trace_reader_trace(blocks->reader);
	if (!block->request)
		return NULL;
	const struct trace_request *request = &trace->requests.items[block->request - 1];
	return is_possible(size, request->size) ? request : NULL;
}
