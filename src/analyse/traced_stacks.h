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
	struct call_sites *sites; /* of its trace */
};

/* After the look; what was known of one before is forgotten. traced_stacks_deinit() is due in any case. */
struct error *traced_stacks_find(const struct source_trace *trace,
				 const struct target *target,
				 const struct traced_look *before,
				 const struct look *look,
				 struct traced_stacks *stacks) MUST_CHECK;
void traced_stacks_deinit(struct traced_stacks *stacks);

/* Of a block with its usable size; *site is NULL: it is not known. */
struct error *traced_stacks_of_block(const struct traced_stacks *stacks, uint32_t rank,
				     uint64_t size,
				     const struct call_site **site) MUST_CHECK;

#endif
