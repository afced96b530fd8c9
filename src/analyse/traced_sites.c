/* traced_sites: see traced_sites.h. */
#include "analyse/traced_sites.h"

#include <string.h>

#include "analyse/site_naming.h"
#include "analyse/traced_end.h"

/* What the trace says of a block. */
struct traced {
	uint32_t request; /* number plus one; 0: nothing */
	uint32_t at;      /* in units of 10 ms since the run began, for 497 days */
};

#define TRACED_UNIT_US 10000u

struct reading {
	struct traced_visitor visitor; /* first */
	const struct space *space;
	struct area blocks; /* struct traced by rank */
	const struct traced_look *before;
	uint64_t nr_blocks;
};

/* --- which blocks -------------------------------------------------------------------- */

static struct traced *traced_of(const struct reading *reading)
{
	return reading->blocks.memory;
}

/* What is known of the block that begins at an address; NULL: there was none in the look. */
static struct traced *traced_at(const struct traced_visitor *visitor, uint64_t address)
{
	const struct reading *reading = (const struct reading *)visitor;
	uint64_t offset = space_offset(reading->space, address);
	if (offset == SPACE_NONE)
		return NULL;
	struct space_hit hit = space_find(reading->space, offset);
	return hit.rank == RANK_NONE || hit.distance ? NULL
						     : &traced_of(reading)[hit.rank];
}

/* A death of another request is of the block before, whose address was given out again before
   that was told. After the look that is no help: then all at the address is doubtful. */
static void end_block(struct traced_visitor *visitor, uint64_t address, uint32_t request,
		      bool is_later)
{
	struct traced *known = traced_at(visitor, address);
	if (known && (is_later || known->request == request + 1))
		known->request = 0;
}

static void begin_block(struct traced_visitor *visitor, uint64_t address,
			uint32_t request, uint64_t time_us, bool is_later)
{
	struct traced *known = traced_at(visitor, address);
	if (known)
		*known = (struct traced){
			.request = is_later ? 0 : request + 1,
			.at = (uint32_t)(time_us / TRACED_UNIT_US),
		};
}

static void forget_all(struct traced_visitor *visitor)
{
	const struct reading *reading = (const struct reading *)visitor;
	memset(traced_of(reading), 0, reading->nr_blocks * sizeof(struct traced));
}

/* --- their sites --------------------------------------------------------------------- */

struct telling {
	const struct reading *reading;
	const struct trace *trace;
	struct site_naming naming;
	uint64_t look_us;
	struct error *error;
};

/* An address may have been given out by who is not recorded. */
static bool is_possible(uint64_t size, uint64_t requested)
{
	uint64_t slack = size - requested;
	return requested <= size &&
	       (slack <= 64 || slack <= size / 4 || (slack <= 4096 && size >= 65536));
}

/* When the look was, since the run began. The clock may have been set since. */
static uint64_t look_us(const struct telling *telling)
{
	const struct reading *reading = telling->reading;
	const uint64_t start_ns = telling->trace->run.start_ns;
	const uint64_t at_ns = reading->before->at_ns;
	const uint64_t us = at_ns > start_ns ? (at_ns - start_ns) / 1000 : 0;
	return us > reading->visitor.until_us ? us : reading->visitor.until_us;
}

static uint32_t age_ms(const struct telling *telling, const struct traced *traced)
{
	uint64_t at_us = (uint64_t)traced->at * TRACED_UNIT_US;
	uint64_t age = telling->look_us > at_us ? (telling->look_us - at_us) / 1000 : 0;
	return age < BLOCK_AGE_MAX ? (uint32_t)age : BLOCK_AGE_MAX;
}

static void tell_block(void *context, uint32_t rank, uint64_t address, uint64_t size)
{
	(void)address;
	struct telling *telling = context;
	const struct traced *traced = &traced_of(telling->reading)[rank];
	if (telling->error || !traced->request)
		return;
	const struct trace_request *told =
		&telling->trace->requests.items[traced->request - 1];
	if (!is_possible(size, told->size))
		return;
	const struct site_fact fact = {
		.rank = rank,
		.node = told->node,
		.requested = told->size,
		.age_ms = age_ms(telling, traced),
	};
	telling->error = site_naming_tell(&telling->naming, &fact);
}

static struct error *tell_sites(const struct reading *reading, const struct trace *trace,
				struct look *look)
{
	const struct heap_block_vec none = { 0 };
	struct telling telling = {
		.reading = reading,
		.trace = trace,
		.naming = { .sites = &look->sites },
	};
	struct error *error =
		call_sites_create(telling.trace, &none, &telling.naming.stacks);
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

/* --- all ------------------------------------------------------------------------------ */

struct error *traced_sites_find(const struct source_trace *trace,
				const struct target *target,
				const struct traced_look *before, struct look *look)
{
	struct reading reading = {
		.visitor = { begin_block, end_block, forget_all, 0 },
		.space = &look->graph.space,
		.before = before,
		.nr_blocks = look->graph.nr_blocks,
	};
	struct trace_reader *reader = NULL;
	if (!area_reserve(&reading.blocks,
			  (reading.nr_blocks + 1) * sizeof(struct traced)))
		return error_no_memory();
	struct error *error = target->path ? NULL
					   : trace->flush(target->pid, trace->path);
	if (!error)
		error = trace_reader_open(trace->path, &reader);
	if (!error)
		error = traced_events_read(reader, before, &reading.visitor);
	if (!error && target->path)
		error = traced_end_check(trace->path, trace_reader_trace(reader), target);
	if (!error)
		error = tell_sites(&reading, trace_reader_trace(reader), look);
	trace_reader_close(reader);
	area_release(&reading.blocks);
	return error;
}
