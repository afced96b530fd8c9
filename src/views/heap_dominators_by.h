/*
 * heap_dominators_by: the dominator tree with what stands below the same taken together by type,
 * site or the like (heap_by.h), as MAT groups it by class. Blocks that are taken together do not
 * dominate each other, so that what they retain adds up exactly.
 */
#ifndef SEEP_VIEWS_HEAP_DOMINATORS_BY_H
#define SEEP_VIEWS_HEAP_DOMINATORS_BY_H

#include "views/heap_tops.h"

/* Answers the question, by what its options say. */
struct error *heap_dominators_by(struct heap_question *question,
				 const struct dominator_tree *tree,
				 const struct heap_tops *tops) MUST_CHECK;

#endif
