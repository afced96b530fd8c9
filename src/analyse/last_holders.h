/*
 * last_holders: who had a pointer to a lost block last: a lost block that still has it, or dead
 * memory in which one is left.
 */
#ifndef SEEP_ANALYSE_LAST_HOLDERS_H
#define SEEP_ANALYSE_LAST_HOLDERS_H

#include "analyse/look.h"
#include "graph/reach.h"

struct last_holders {
	const struct look *look;
	struct graph_root_vec stale; /* pointers to lost blocks in dead memory, by edge */
};

/* The look must outlive the holders; last_holders_deinit() is due in any case. */
struct error *last_holders_init(struct last_holders *holders, const struct look *look,
				const struct reach *reach) MUST_CHECK;
void last_holders_deinit(struct last_holders *holders);

/* The name of the lost block of that rank, as one that holds another. */
char *last_holders_lost(const struct last_holders *holders, uint32_t rank);

/* Where a pointer to the block still stands that nothing uses any more; NULL: nowhere. */
char *last_holders_stale(const struct last_holders *holders, uint32_t rank);

#endif
