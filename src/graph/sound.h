/*
 * sound: whether answers that somebody else found may be those of a graph, as far as one pass over
 * it tells; nothing here is trusted.
 *
 * As a graph problem: necessary conditions of a closure, of strongly connected parts and of a
 * dominator tree, in linear time. None is sufficient: a ring that nothing holds may be called live, a
 * ring be left out, and a tree of the right sums have other parents.
 */
#ifndef SEEP_GRAPH_SOUND_H
#define SEEP_GRAPH_SOUND_H

#include "graph/dominators.h"

enum sound {
	SOUND,
	SOUND_NOT_CLOSED, /* what is live, or a root, leads to what is not */
	SOUND_NOT_HELD,   /* something is live that nothing live points to */
	SOUND_NO_CYCLE, /* a block on a cycle leads to none on one, or none leads to it */
	SOUND_NO_TREE,  /* some way up comes back, or to no node */
	SOUND_NO_SUM,   /* a node retains other than its own and its children's bytes */
	SOUND_MIXED,    /* what is lost keeps what is live, or the other way round */
	SOUND_NR,
};

/* Bitmaps by rank; `doubted` blocks count as held. */
struct sound_question {
	const struct graph *graph;
	const uint64_t *live, *cyclic;
	const uint32_t *doubted;
	size_t nr_doubted;
	const struct dominators *dominators;
};

struct error *sound_find(const struct sound_question *question,
			 enum sound *sound) MUST_CHECK;

#endif
