/*
 * traced_blocks: which request of a trace each block of a look is of.
 *
 * Nothing is said that is not certain. All that happened before the look is written before it, and
 * all that happened meanwhile after it. What lived before and has no later event at its address lived
 * during the look, and is the block there. Of a block that came later nothing is said. A core goes with
 * the trace that ends with it (traced_end.h).
 */
#ifndef SEEP_ANALYSE_TRACED_BLOCKS_H
#define SEEP_ANALYSE_TRACED_BLOCKS_H

#include "analyse/look.h"
#include "analyse/traced_events.h"

struct traced_block {
	uint32_t request; /* number plus one; 0: nothing */
	uint32_t at;      /* in these units since the run began, for 497 days */
};
#define TRACED_UNIT_US 10000u

struct traced_blocks {
	struct trace_reader *reader; /* whose trace the requests are of */
	struct area blocks;          /* struct traced_block by rank */
	uint64_t
		until_us; /* when the last event before the look was, since the run began */
};

/* After the look. traced_blocks_deinit() is due in any case. */
struct error *traced_blocks_read(const struct source_trace *trace,
				 const struct target *target,
				 const struct traced_look *before,
				 const struct look *look,
				 struct traced_blocks *blocks) MUST_CHECK;
void traced_blocks_deinit(struct traced_blocks *blocks);

static inline const struct traced_block *traced_block(const struct traced_blocks *blocks,
						      uint32_t rank)
{
	return (const struct traced_block *)blocks->blocks.memory + rank;
}

/* What was asked for, and where; NULL: it is not known of a block of that usable size. */
const struct trace_request *traced_blocks_request(const struct traced_blocks *blocks,
						  uint32_t rank, uint64_t size);

#endif
