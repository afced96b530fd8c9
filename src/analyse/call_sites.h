/*
 * call_sites: which call stack allocated a block that was recorded.
 *
 * Stacks are named when first asked for, and kept. The trace that they come from holds code and nodes
 * alone; it and the blocks are the caller's and must outlive this.
 */
#ifndef SEEP_ANALYSE_CALL_SITES_H
#define SEEP_ANALYSE_CALL_SITES_H

#include "analyse/suppressions.h"
#include "heap/recorded.h"
#include "model/stack.h"
#include "traces/recording_frames.h"

struct call_sites; /* opaque */

/* A named stack; valid as long as the call_sites. */
struct call_site {
	uint32_t *frames; /* of the places, innermost first */
	size_t nr;
	size_t site;        /* the innermost of the program's own code */
	uint64_t functions; /* hash of their names: the same in another build */
	uint64_t lines;     /* hash of these with files and lines */
	struct suppression_call *calls; /* as rules see them */
};

/* No blocks (NULL): nobody will ask by their addresses. */
struct error *call_sites_create(const struct trace *trace,
				const struct heap_block_vec *blocks,
				struct call_sites **result) MUST_CHECK;
void call_sites_destroy(struct call_sites *sites);

/* The stack of a node; NULL for node 0, which is none. */
struct error *call_sites_of_node(struct call_sites *sites, uint32_t node,
				 const struct call_site **site) MUST_CHECK;
/* The same of the block at an address; NULL also for one that was not recorded. */
struct error *call_sites_of_block(struct call_sites *sites, uint64_t address,
				  const struct call_site **site) MUST_CHECK;

/* A copy for a report, with the source around its site; stack is empty before. */
struct error *call_sites_tell(const struct call_sites *sites,
			      const struct call_site *site,
			      struct call_stack *stack) MUST_CHECK;

/* Sentences about modules that gave no names. */
struct error *call_sites_warn(const struct call_sites *sites,
			      struct sentence_vec *warnings) MUST_CHECK;

#endif
