/*
 * inspection: as many looks as it takes to be sure of what is lost, and the marked graph.
 *
 * A lost block stays lost. So when a look finds lost blocks while some thread was inside
 * the allocator (whose hands then hold blocks that nobody else does), it is confirmed by
 * another look: only what both call lost is lost.
 */
#ifndef SEEP_ANALYSE_INSPECTION_H
#define SEEP_ANALYSE_INSPECTION_H

#include "analyse/source.h"
#include "graph/lost.h"
#include "graph/reach.h"

struct traced_stacks;

struct inspection {
	struct source *source; /* the caller's */
	struct look look;      /* the last one */
	/* Of a source with a trace: where its stacks are wanted; NULL: as sites of the look. */
	struct traced_stacks *stacks;
	struct reach reach;
	struct lost lost;
	uint64_t pause_ns; /* the longest of all looks */
	uint64_t nr_looks;
};

/* Looks, and marks with or without interior pointers counting as sure. An inspection may
   look again; it keeps the last look alone. */
struct error *inspection_look(struct inspection *inspection,
			      const struct look_options *options, bool strict) MUST_CHECK;
void inspection_deinit(struct inspection *inspection);

#endif
