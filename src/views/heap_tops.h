/*
 * heap_tops: where a dominator tree begins: with whom nobody dominates, or, if a filter was given,
 * with the outermost of the blocks that it leaves.
 */
#ifndef SEEP_VIEWS_HEAP_TOPS_H
#define SEEP_VIEWS_HEAP_TOPS_H

#include "views/heap_views_priv.h"

struct heap_tops {
	const uint32_t *nodes; /* the tree's, or those of `own` */
	uint32_t nr;
	struct rank_vec own;
};

/* heap_tops_deinit() is due in any case. */
struct error *heap_tops_find(const struct heap_question *question,
			     const struct dominator_tree *tree,
			     struct heap_tops *tops) MUST_CHECK;
void heap_tops_deinit(struct heap_tops *tops);

#endif
