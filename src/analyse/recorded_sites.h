/*
 * recorded_sites: which call stacks allocated the blocks of a command that was recorded to its end,
 * and how much they asked for; when is not known.
 */
#ifndef SEEP_ANALYSE_RECORDED_SITES_H
#define SEEP_ANALYSE_RECORDED_SITES_H

#include "analyse/call_sites.h"
#include "analyse/look.h"

/* Sets look->sites, and names blocks by them. */
struct error *recorded_sites_find(struct call_sites *stacks,
				  const struct heap_block_vec *blocks,
				  struct look *look) MUST_CHECK;

#endif
