/*
 * traced_stacks: which call stacks allocated the blocks of a look at a process that is being recorded, for
 * who asks of some blocks, with all that is told of a stack.
 */
#ifndef SEEP_ANALYSE_TRACED_STACKS_H
#define SEEP_ANALYSE_TRACED_STACKS_H

#include "analyse/call_sites.h"
#include "analyse/traced_blocks.h"

/* All zeros: nothing was asked. */
struct traced_stacks {
	struct traced_blocks traced;
	struct heap_block_vec blocks; /* whose request is known */
	struct call_sites *sites;     /* of these */
};

/* After the look. traced_stacks_deinit() is due in any case. */
struct error *traced_stacks_find(const struct source_trace *trace,
				 const struct target *target,
				 const struct traced_look *before,
				 const struct look *look,
				 struct traced_stacks *stacks) MUST_CHECK;
void traced_stacks_deinit(struct traced_stacks *stacks);

#endif
