/*
 * rebuild: makes a graph anew from its blocks and edges, as a snapshot has them.
 *
 *	rebuild_init
 *	rebuild_announce       every block, in ascending order
 *	rebuild_ready
 *	rebuild_block          every block once more, each followed by its edges:
 *	rebuild_edges
 *	rebuild_root, rebuild_stale
 *	rebuild_finish
 *
 * Nothing that is given is trusted. What is rebuilt takes memory by the number of blocks and
 * edges alone, however far the addresses lie apart.
 */
#ifndef SEEP_GRAPH_REBUILD_H
#define SEEP_GRAPH_REBUILD_H

#include "graph/graph.h"

struct rebuild {
	struct graph graph;
	uint64_t nr_announced;
	uint64_t end;        /* of the last block announced, then of the last block */
	size_t span;         /* index of the one that the last block is in */
	uint64_t first_edge; /* of the last block */
	bool is_adopted;
};

void rebuild_init(struct rebuild *rebuild);
void rebuild_deinit(struct rebuild *rebuild);

/* *fits is false if the block overlaps the one before, is empty, or one too many. */
struct error *rebuild_announce(struct rebuild *rebuild, uint64_t address, uint64_t size,
			       bool *fits) MUST_CHECK;
struct error *rebuild_ready(struct rebuild *rebuild) MUST_CHECK;
/*
 * Instead of all that: space.groups, rows, edges and large as they stood in another graph, spans as
 * they were added, each single one's rank RANK_NONE or not. *fits is false if they are not of one
 * graph of so many blocks and edges; where edges lead is looked at by rebuild_finish().
 */
void rebuild_adopt(struct rebuild *rebuild, uint64_t nr_blocks, uint64_t nr_edges,
		   bool *fits);
/* *fits is false if that block was not announced in that place. */
struct error *rebuild_block(struct rebuild *rebuild, uint64_t address, uint64_t size,
			    bool *fits) MUST_CHECK;
/* More edges of the last block; any rank will do until rebuild_finish(). */
struct error *rebuild_edges(struct rebuild *rebuild, const uint32_t *edges,
			    size_t nr) MUST_CHECK;
struct error *rebuild_root(struct rebuild *rebuild, struct graph_root root) MUST_CHECK;
struct error *rebuild_stale(struct rebuild *rebuild, struct graph_root root) MUST_CHECK;

/*
 * Moves the graph out. Edges, roots and stale words that lead to no block are taken out and
 * counted in *nr_dangling.
 */
struct error *rebuild_finish(struct rebuild *rebuild, struct graph *result,
			     uint64_t *nr_dangling) MUST_CHECK;

#endif
