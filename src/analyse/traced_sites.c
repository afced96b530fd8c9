/* traced_sites: see traced_sites.h. */
#include "analyse/traced_sites.h"

#include "analyse/site_naming.h"
#include "analyse/traced_blocks.h"

struct telling {
	const struct traced_blocks *blocks;
	const struct traced_look *before;
	struct site_naming naming;
	uint64_t look_us;
	struct error *error;
};

/* When the look was, since the run began. The clock may have been set since. */
static uint64_t look_us(const struct telling *telling)
{
	const struct trace *trace = trace_reader_trace(telling->blocks->reader);
	const uint64_t start_ns = trace->run.start_ns, at_ns = telling->before->at_ns;
	const uint64_t us = at_ns > start_ns ? (at_ns - start_ns) / 1000 : 0;
	return us > telling->blocks->until_us ? us : telling->blocks->until_us;
}

static uint32_t age_ms(const struct telling *telling, const struct traced_block *traced)
{
	uint64_t at_us = (uint64_t)traced->at * TRACED_UNIT_US;
	uint64_t age = telling->look_us > at_us ? (telling->look_us - at_us) / 1000 : 0;
	return age < BLOCK_AGE_MAX ? (uint32_t)age : BLOCK_AGE_MAX;
}

static void tell_block(void *context, uint32_t rank, uint64_t address, uint64_t size)
{
	(void)address;
	struct telling *telling = context;
	const struct trace_request *told =
		telling->error ? NULL
			       : traced_blocks_request(telling->blocks, rank, size);
	if (!told)
		return;
	const struct site_fact fact = {
		.rank = rank,
		.node = told->node,
		.requested = told->size,
		.age_ms = age_ms(telling, traced_block(telling->blocks, rank)),
	};
	telling->error = site_naming_tell(&telling->naming, &fact);
}

static struct error *tell_sites(const struct traced_blocks *blocks,
				const struct traced_look *before, struct look *look)
{
	struct telling telling = {
		.blocks = blocks,
		.before = before,
		.naming = { .sites = &look->sites },
	};
	struct error *error = call_sites_create(trace_reader_trace(blocks->reader), NULL,
						&telling.naming.stacks);
	if (error)
		return error;
	telling.look_us = look_us(&telling);
	error = block_sites_init(&look->sites, look->graph.nr_blocks);
	if (!error)
		space_each(&look->graph.space, tell_block, &telling);
	if (!error)
		error = telling.error;
	if (!error)
		error = call_sites_warn(telling.naming.stacks, &look->warnings);
	site_naming_deinit(&telling.naming);
	call_sites_destroy(telling.naming.stacks);
	return error;
}

struct error *traced_sites_find(const struct source_trace *trace,
				const struct target *target,
				const struct traced_look *before, struct look *look)
{
	struct traced_blocks blocks;
	struct error *error = traced_blocks_read(trace, target, before, look, &blocks);
	if (!error)
		error = tell_sites(&blocks, before, look);
	traced_blocks_deinit(&blocks);
	return error;
}
