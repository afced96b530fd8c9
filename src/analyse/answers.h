/*
 * answers: what takes long to find out of a heap and does not change: what is live, what is on a
 * cycle, the dominator tree. Found when a snapshot is taken, stored with it (snapshot_arrays.c), and
 * there when it is asked.
 */
#ifndef SEEP_ANALYSE_ANSWERS_H
#define SEEP_ANALYSE_ANSWERS_H

#include "analyse/inspection.h"
#include "analyse/root_groups.h"

/* What stands at the top of the dominator tree; `live` is the caller's and outlives the entries. */
struct error *answers_begin(const struct look *look, const uint64_t *live,
			    struct places *places, struct lost *lost,
			    struct root_groups *groups,
			    struct entries *entries) MUST_CHECK;

/* All that a snapshot stores. */
struct error *answers_find(const struct inspection *inspection, struct places *places,
			   struct answers *answers) MUST_CHECK;

/* Moves the stored dominators out, if they are there and of these groups. */
bool answers_take_dominators(struct answers *answers, const struct root_groups *groups,
			     struct dominators *dominators);

#endif
