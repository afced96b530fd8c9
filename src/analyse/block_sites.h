/*
 * block_sites: which call stack allocated the blocks of a process that is being recorded, and how
 * much it asked for, by the trace that is being written.
 *
 * Nothing is said that is not certain. All that happened before the look is written before it, and
 * all that happened meanwhile after it. What lived before and has no later event at its address lived
 * during the look, and is the block there. A block that came later has no site.
 */
#ifndef SEEP_ANALYSE_BLOCK_SITES_H
#define SEEP_ANALYSE_BLOCK_SITES_H

#include "analyse/block_table.h"
#include "analyse/source.h"

DEFINE_VEC(block_label_vec, char *);

struct block_sites {
	uint64_t looked_at; /* bytes of the trace that were written before the look */
	struct area
		requests; /* uint32_t by rank: the trace's number plus one; 0: not known */
	struct block_table table;      /* by site; site 0 is what is not known */
	struct block_label_vec labels; /* of its rows; owned */
	uint64_t nr_blocks, bytes;     /* of which the sites are known */
};

/* Before the look. */
struct error *block_sites_begin(const struct source_trace *trace, pid_t pid,
				struct block_sites *sites) MUST_CHECK;
/* After it. Sentences go to `warnings`: how much is known, and what gave no names. */
struct error *block_sites_finish(const struct source_trace *trace,
				 const struct look *look, struct block_sites *sites,
				 struct sentence_vec *warnings) MUST_CHECK;
void block_sites_deinit(struct block_sites *sites);

#endif
