/*
 * random: thousands of small graphs, analysed by seep and by the plainest means there are:
 * closures by repetition, components by mutual reach, owners and what is retained by taking away
 * blocks in turn.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/bitmap.h"
#include "base/hash.h"
#include "graph/dominators.h"
#include "graph/lost.h"
#include "graph/plan.h"
#include "graph/reach.h"
#include "graph/removal.h"

#ifdef __SANITIZE_ADDRESS__
enum { GRAPHS = 1000, FEW_GRAPHS = 300 };
#else
enum { GRAPHS = 4000, FEW_GRAPHS = 1500 };
#endif
enum { BLOCKS_MAX = 60, GROUPS = 3 };

/* The graph as a matrix: how surely each block holds each; and the roots. */
enum hold { HOLD_NOT, HOLD_INSIDE, HOLD_START };

struct matrix {
	uint32_t nr;
	uint64_t sizes[BLOCKS_MAX];
	uint8_t holds[BLOCKS_MAX][BLOCKS_MAX];
	uint8_t roots[BLOCKS_MAX];
};

/* One graph, in both forms, and what seep says of it. */
struct trial {
	uint64_t seed;
	struct plan plan;
	struct graph graph;
	struct matrix matrix;
};

static uint64_t draw(struct trial *trial, uint64_t limit)
{
	return hash_mix(++trial->seed) % limit;
}

/* --- making graphs --------------------------------------------------------------------- */

static void draw_block(struct trial *trial)
{
	struct plan_block block = { .size = 24 + 16 * draw(trial, 8) };
	switch (draw(trial, 16)) {
	case 0:
		block.flags = PLAN_FREE;
		break;
	case 1:
		block.flags = PLAN_MAPPED;
		block.size = 16 * (1 + draw(trial, 100));
		break;
	case 2:
		block.flags = PLAN_NEW_SPAN;
		break;
	case 3:
		block.size = 24 + 16 * draw(trial, 4000);
		break;
	case 4:
		block.hints = 1u << HINT_LENGTH_WORD;
		break;
	case 5:
		block.hints = 1u << HINT_STDSTRING;
		break;
	case 6:
		block.subobject = 16;
		break;
	}
	plan_block(&trial->plan, block);
}

/* To the start, to a place that a heuristic may promote, inside, or just past the end. */
static uint64_t draw_distance(struct trial *trial, const struct plan_block *block)
{
	static const uint64_t places[] = { 0, 0, 0, 0, 8, 16, 24 };
	uint64_t place = draw(trial, ARRAY_SIZE(places) + 3);
	if (place < ARRAY_SIZE(places))
		return places[place];
	return place == ARRAY_SIZE(places) ? block->size : draw(trial, block->size);
}

static void draw_edges(struct trial *trial, uint64_t per_block)
{
	struct plan *plan = &trial->plan;
	uint32_t nr = (uint32_t)plan->blocks.nr;
	for (uint32_t from = 0; from < nr; from++) {
		const struct plan_block *block = &plan->blocks.items[from];
		uint64_t room = block->size / 8;
		uint64_t nr_edges = draw(trial, per_block + 1);
		/* Now and then a block with many. */
		if (room > 300 && draw(trial, 2))
			nr_edges = 250 + draw(trial, 20);
		for (uint64_t i = 0; i < nr_edges && i < room; i++) {
			uint32_t to = (uint32_t)draw(trial, nr);
			plan_edge(plan, from, to,
				  draw_distance(trial, &plan->blocks.items[to]));
		}
	}
	for (uint64_t i = draw(trial, 1 + nr / 4); i > 0; i--) {
		uint32_t to = (uint32_t)draw(trial, nr);
		plan_edge(plan, PLAN_ROOT, to,
			  draw_distance(trial, &plan->blocks.items[to]));
	}
}

/* What a word that points `distance` into a block is worth, by the rules alone. */
static enum hold hold_of(const struct plan_block *block, uint64_t distance)
{
	if (block->rank == RANK_NONE || distance >= block->size)
		return HOLD_NOT;
	bool promoted = (distance == 8 && block->hints == 1u << HINT_LENGTH_WORD) ||
			(distance == 24 && block->hints == 1u << HINT_STDSTRING) ||
			(distance == 16 && block->subobject == 16);
	return distance == 0 || promoted ? HOLD_START : HOLD_INSIDE;
}

static void fill_matrix(struct trial *trial)
{
	struct matrix *matrix = &trial->matrix;
	const struct plan_block *blocks = trial->plan.blocks.items;
	for (size_t i = 0; i < trial->plan.blocks.nr; i++)
		if (blocks[i].rank != RANK_NONE)
			matrix->sizes[matrix->nr++] = blocks[i].size;
	for (size_t i = 0; i < trial->plan.edges.nr; i++) {
		const struct plan_edge *edge = &trial->plan.edges.items[i];
		const struct plan_block *to = &blocks[edge->to];
		enum hold hold = hold_of(to, edge->distance);
		if (hold == HOLD_NOT ||
		    (edge->from != PLAN_ROOT && blocks[edge->from].rank == RANK_NONE))
			continue;
		uint8_t *entry =
			edge->from == PLAN_ROOT
				? &matrix->roots[to->rank]
				: &matrix->holds[blocks[edge->from].rank][to->rank];
		if (*entry < hold)
			*entry = (uint8_t)hold;
	}
}

static struct trial make_trial(uint64_t number)
{
	struct trial trial = { .seed = hash_mix(number) };
	uint64_t nr = 1 + draw(&trial, BLOCKS_MAX);
	for (uint64_t i = 0; i < nr; i++)
		draw_block(&trial);
	draw_edges(&trial, 1 + draw(&trial, 4));
	trial.plan.window_bytes = 16 * (1 + draw(&trial, 64));
	trial.plan.places = number % 2;
	plan_build(&trial.plan, &trial.graph);
	fill_matrix(&trial);
	return trial;
}

static void end_trial(struct trial *trial)
{
	graph_deinit(&trial->graph);
	plan_deinit(&trial->plan);
}

/* --- by the plainest means ------------------------------------------------------------- */

/* Spreads marks along holds of at least `least` until nothing changes. */
static void spread(const struct matrix *matrix, enum hold least, bool *marks)
{
	for (bool changed = true; changed;) {
		changed = false;
		for (uint32_t from = 0; from < matrix->nr; from++)
			for (uint32_t to = 0; marks[from] && to < matrix->nr; to++)
				if (!marks[to] && matrix->holds[from][to] >= least)
					marks[to] = changed = true;
	}
}

static void close_roots(const struct matrix *matrix, enum hold least, bool *marks)
{
	for (uint32_t i = 0; i < matrix->nr; i++)
		marks[i] = matrix->roots[i] >= least;
	spread(matrix, least, marks);
}

/* Who reaches whom among the lost. */
struct lost_matrix {
	bool lost[BLOCKS_MAX];
	bool reaches[BLOCKS_MAX][BLOCKS_MAX];
};

static void find_lost(const struct matrix *matrix, struct lost_matrix *result)
{
	close_roots(matrix, HOLD_INSIDE, result->lost);
	for (uint32_t i = 0; i < matrix->nr; i++)
		result->lost[i] = !result->lost[i];
	for (uint32_t i = 0; i < matrix->nr; i++) {
		memset(result->reaches[i], 0, sizeof(result->reaches[i]));
		result->reaches[i][i] = true;
		if (result->lost[i])
			spread(matrix, HOLD_INSIDE, result->reaches[i]);
	}
}

static bool in_cycle(const struct lost_matrix *lost, uint32_t a, uint32_t b)
{
	return lost->reaches[a][b] && lost->reaches[b][a];
}

/* The member that stands for the component of `block`; RANK_NONE if others hold it. */
static uint32_t leader_of(const struct matrix *matrix, const struct lost_matrix *lost,
			  uint32_t block)
{
	uint32_t lowest = RANK_NONE, free_standing = RANK_NONE;
	for (uint32_t i = matrix->nr; i-- > 0;) {
		if (!lost->lost[i])
			continue;
		if (lost->reaches[i][block] && !lost->reaches[block][i])
			return RANK_NONE;
		if (!in_cycle(lost, i, block))
			continue;
		lowest = i;
		bool held = false;
		for (uint32_t k = 0; k < matrix->nr; k++)
			held |= k != i && in_cycle(lost, k, i) &&
				matrix->holds[k][i] == HOLD_START;
		if (!held)
			free_standing = i;
	}
	return free_standing != RANK_NONE ? free_standing : lowest;
}

/* --- comparing ------------------------------------------------------------------------- */

static void check_marks(const struct trial *trial, const uint64_t *found,
			const bool *marks, const char *what)
{
	for (uint32_t i = 0; i < trial->matrix.nr; i++)
		if (bitmap_test(found, i) != marks[i])
			fail_msg("%s: block %u is %s", what, i,
				 marks[i] ? "not reached" : "reached");
}

static void check_reach(struct trial *trial)
{
	bool sure[BLOCKS_MAX], any[BLOCKS_MAX];
	close_roots(&trial->matrix, HOLD_START, sure);
	close_roots(&trial->matrix, HOLD_INSIDE, any);
	uint32_t added = (uint32_t)draw(trial, trial->matrix.nr);
	for (unsigned strict = 0; strict < 2; strict++) {
		struct reach reach;
		struct error *error =
			reach_mark(&trial->graph, strict, 1 + strict, &reach);
		assert_null(error);
		check_marks(trial, reach.any.memory, any, "any");
		check_marks(trial, reach_sure(&reach), strict ? sure : any, "sure");
		error = reach_add(&trial->graph, &reach, &added, 1);
		assert_null(error);
		bool more_sure[BLOCKS_MAX], more_any[BLOCKS_MAX];
		memcpy(more_sure, sure, sizeof(sure));
		memcpy(more_any, any, sizeof(any));
		more_sure[added] = more_any[added] = true;
		spread(&trial->matrix, HOLD_START, more_sure);
		spread(&trial->matrix, HOLD_INSIDE, more_any);
		check_marks(trial, reach.any.memory, more_any, "any with one more");
		check_marks(trial, reach_sure(&reach), strict ? more_sure : more_any,
			    "sure with one more");
		reach_deinit(&reach);
	}
}

/* The bytes that only one leak keeps: those that nothing else would reach without it. */
static void check_retained(const struct trial *trial, const struct lost_matrix *lost,
			   const struct lost *found, size_t root)
{
	const struct matrix *matrix = &trial->matrix;
	uint32_t leader = found->roots.items[root].leader;
	uint64_t blocks = 0, bytes = 0;
	const uint32_t *ranks = found->ranks.memory, *owners = found->owners.memory;
	for (uint32_t i = 0; i < found->nr; i++) {
		uint32_t block = ranks[i];
		bool by_others = false;
		for (size_t k = 0; k < found->roots.nr; k++)
			by_others |= k != root &&
				     lost->reaches[found->roots.items[k].leader][block];
		bool retained = lost->reaches[leader][block] && !by_others;
		assert_int_equal(owners[i] == root, retained);
		blocks += retained;
		bytes += retained ? matrix->sizes[block] : 0;
	}
	assert_int_equal(found->roots.items[root].blocks, blocks);
	assert_int_equal(found->roots.items[root].bytes, bytes);
}

static void check_holder(const struct trial *trial, const struct lost_matrix *lost,
			 uint32_t block, uint32_t holder)
{
	const struct matrix *matrix = &trial->matrix;
	if (holder != RANK_NONE) {
		assert_true(holder != block && lost->lost[holder]);
		assert_true(matrix->holds[holder][block] != HOLD_NOT);
		return;
	}
	for (uint32_t i = 0; i < matrix->nr; i++)
		assert_false(i != block && lost->lost[i] && matrix->holds[i][block]);
}

static void check_lost(const struct trial *trial)
{
	const struct matrix *matrix = &trial->matrix;
	static struct lost_matrix lost;
	find_lost(matrix, &lost);
	struct reach reach;
	struct error *error = reach_mark(&trial->graph, false, 1, &reach);
	assert_null(error);
	struct lost found;
	error = lost_find(&trial->graph, reach.any.memory, &found);
	assert_null(error);

	uint32_t nr = 0;
	size_t nr_roots = 0;
	for (uint32_t i = 0; i < matrix->nr; i++) {
		if (!lost.lost[i])
			continue;
		assert_true(nr < found.nr);
		assert_int_equal(((uint32_t *)found.ranks.memory)[nr], i);
		assert_int_equal(((uint64_t *)found.sizes.memory)[nr], matrix->sizes[i]);
		check_holder(trial, &lost, i, ((uint32_t *)found.holders.memory)[nr]);
		nr++;
		if (leader_of(matrix, &lost, i) != i)
			continue;
		assert_true(nr_roots < found.roots.nr);
		assert_int_equal(found.roots.items[nr_roots].leader, i);
		uint32_t members = 0;
		for (uint32_t k = 0; k < matrix->nr; k++)
			members += lost.lost[k] && in_cycle(&lost, i, k);
		assert_int_equal(found.roots.items[nr_roots].members, members);
		nr_roots++;
	}
	assert_int_equal(found.nr, nr);
	assert_int_equal(found.roots.nr, nr_roots);
	for (size_t root = 0; root < nr_roots; root++)
		check_retained(trial, &lost, &found, root);
	lost_deinit(&found);
	reach_deinit(&reach);
}

/* Steps to each block from a set of them; UINT32_MAX: there is no way. */
static void measure(const struct matrix *matrix, const bool *start, uint32_t *steps)
{
	for (uint32_t i = 0; i < matrix->nr; i++)
		steps[i] = start[i] ? 0 : UINT32_MAX;
	for (uint32_t round = 0; round < matrix->nr; round++)
		for (uint32_t from = 0; from < matrix->nr; from++)
			for (uint32_t to = 0; steps[from] == round && to < matrix->nr;
			     to++)
				if (matrix->holds[from][to] && steps[to] > round + 1)
					steps[to] = round + 1;
}

/* Each block belongs to a root from which it is as near as from any. */
static void check_attribution(const struct trial *trial)
{
	const struct matrix *matrix = &trial->matrix;
	struct area owners_area = { 0 };
	struct error *error = reach_attribute(&trial->graph, &owners_area);
	assert_null(error);
	const uint32_t *owners = owners_area.memory;
	bool start[BLOCKS_MAX];
	uint32_t steps[BLOCKS_MAX];
	for (uint32_t i = 0; i < matrix->nr; i++)
		start[i] = matrix->roots[i];
	measure(matrix, start, steps);
	for (uint32_t i = 0; i < matrix->nr; i++) {
		assert_int_equal(owners[i] == RANK_NONE, steps[i] == UINT32_MAX);
		if (owners[i] == RANK_NONE)
			continue;
		bool alone[BLOCKS_MAX] = { false };
		uint32_t steps_alone[BLOCKS_MAX];
		assert_true(owners[i] < trial->graph.roots.nr);
		alone[edge_rank(trial->graph.roots.items[owners[i]].edge)] = true;
		measure(matrix, alone, steps_alone);
		assert_int_equal(steps_alone[i], steps[i]);
	}
	area_release(&owners_area);
}

/* --- dominators ------------------------------------------------------------------------ */

/* What is left when some blocks are taken away: reached from the roots, and of what was lost
   before, from the leaders. */
static void take_away(const struct trial *trial, const struct lost *lost,
		      const bool *was_live, const bool *gone, bool *left)
{
	struct matrix matrix = trial->matrix;
	for (uint32_t i = 0; i < matrix.nr; i++)
		for (uint32_t k = 0; k < matrix.nr; k++)
			if (gone[i] || gone[k] || (!was_live[i] && was_live[k]))
				matrix.holds[i][k] = HOLD_NOT;
	memset(left, 0, sizeof(bool[BLOCKS_MAX]));
	for (uint32_t i = 0; i < matrix.nr; i++)
		left[i] = matrix.roots[i] && !gone[i];
	for (size_t i = 0; i < lost->roots.nr; i++)
		left[lost->roots.items[i].leader] = !gone[lost->roots.items[i].leader];
	spread(&matrix, HOLD_INSIDE, left);
}

static uint64_t bytes_not_left(const struct matrix *matrix, const bool *left)
{
	uint64_t bytes = 0;
	for (uint32_t i = 0; i < matrix->nr; i++)
		bytes += left[i] ? 0 : matrix->sizes[i];
	return bytes;
}

/* A set of blocks drawn at random, each of which may or may not hold others. */
static void check_removal(struct trial *trial, const struct entries *entries,
			  const struct lost *lost, const bool *was_live)
{
	bool gone[BLOCKS_MAX] = { false }, left[BLOCKS_MAX];
	uint64_t bits[BLOCKS_MAX / 64 + 1] = { 0 };
	for (uint64_t i = draw(trial, 6); i > 0; i--) {
		uint64_t block = draw(trial, trial->matrix.nr);
		gone[block] = true;
		bitmap_set(bits, block);
	}
	take_away(trial, lost, was_live, gone, left);
	const struct removal removal = { .blocks = bits };
	struct retained_set set;
	struct error *error = removal_retained(&trial->graph, entries, &removal, &set);
	assert_null(error);
	check_marks(trial, set.left.memory, left, "left");
	assert_int_equal(set.bytes, bytes_not_left(&trial->matrix, left));
	retained_set_deinit(&set);
}

static void check_dominator(const struct trial *trial, const struct dominators *found,
			    const struct lost *lost, const bool *was_live, uint32_t block)
{
	bool gone[BLOCKS_MAX] = { false }, left[BLOCKS_MAX];
	gone[block] = true;
	take_away(trial, lost, was_live, gone, left);
	assert_int_equal(dominators_retained(found, block),
			 bytes_not_left(&trial->matrix, left));
	for (uint32_t i = 0; i < trial->matrix.nr; i++) {
		bool is_above = false;
		for (uint32_t at = i; at != RANK_NONE; at = dominators_parent(found, at))
			is_above |= at == block;
		assert_int_equal(is_above, !left[i]);
	}
}

/* What goes with some of the roots; `group` is theirs. */
static void take_roots_away(const struct trial *trial, const struct lost *lost,
			    const bool *was_live, uint32_t group, bool *left)
{
	struct trial without = *trial;
	bool nothing[BLOCKS_MAX] = { false };
	memset(without.matrix.roots, 0, sizeof(without.matrix.roots));
	for (size_t i = 0; i < trial->graph.roots.nr; i++)
		if (i % GROUPS != group)
			without.matrix
				.roots[edge_rank(trial->graph.roots.items[i].edge)] =
				HOLD_START;
	take_away(&without, lost, was_live, nothing, left);
}

/* Roots in a few groups: what each retains, and that what blocks retain is as before. */
static void check_groups(const struct trial *trial, struct entries *entries,
			 const struct dominators *ungrouped, const struct lost *lost,
			 const bool *was_live)
{
	struct dominators found;
	uint32_t *groups = calloc(trial->graph.roots.nr + 1, sizeof(*groups));
	assert_non_null(groups);
	for (size_t i = 0; i < trial->graph.roots.nr; i++)
		groups[i] = i % GROUPS;
	struct error *error = entries_group(&trial->graph.roots, groups, GROUPS, entries);
	assert_null(error);
	error = dominators_find(&trial->graph, entries, &found);
	assert_null(error);
	assert_int_equal(found.nr_reached, trial->matrix.nr + GROUPS);
	for (uint32_t i = 0; i < trial->matrix.nr; i++)
		assert_int_equal(dominators_retained(&found, i),
				 dominators_retained(ungrouped, i));
	for (uint32_t group = 0; group < GROUPS; group++) {
		bool left[BLOCKS_MAX];
		take_roots_away(trial, lost, was_live, group, left);
		assert_int_equal(dominators_retained(&found, trial->matrix.nr + group),
				 bytes_not_left(&trial->matrix, left));
	}
	dominators_deinit(&found);
	free(groups);
}

static void check_dominators(struct trial *trial)
{
	bool was_live[BLOCKS_MAX];
	struct reach reach;
	struct lost lost;
	struct entries entries;
	struct dominators found;
	close_roots(&trial->matrix, HOLD_INSIDE, was_live);
	struct error *error = reach_mark(&trial->graph, false, 1, &reach);
	assert_null(error);
	error = lost_find(&trial->graph, reach.any.memory, &lost);
	assert_null(error);
	error = entries_find(&trial->graph, reach.any.memory, NULL, 0, &lost, &entries);
	assert_null(error);
	error = dominators_find(&trial->graph, &entries, &found);
	assert_null(error);
	assert_int_equal(found.nr_reached, trial->matrix.nr);
	for (uint32_t i = 0; i < trial->matrix.nr; i++)
		check_dominator(trial, &found, &lost, was_live, i);
	check_removal(trial, &entries, &lost, was_live);
	check_groups(trial, &entries, &found, &lost, was_live);
	dominators_deinit(&found);
	entries_deinit(&entries);
	lost_deinit(&lost);
	reach_deinit(&reach);
}

/* Every root names a place that holds it; each block at most once per class. */
static void check_roots(const struct trial *trial)
{
	const struct graph *graph = &trial->graph;
	bool seen[BLOCKS_MAX][3] = { { false } };
	for (size_t i = 0; i < graph->roots.nr; i++) {
		const struct graph_root *root = &graph->roots.items[i];
		bool *met = &seen[edge_rank(root->edge)][edge_class(root->edge)];
		assert_false(*met);
		*met = true;
		const struct plan_edge *edge = &trial->plan.edges.items[root->where];
		assert_int_equal(edge->from, PLAN_ROOT);
		assert_int_equal(trial->plan.blocks.items[edge->to].rank,
				 edge_rank(root->edge));
	}
	for (uint32_t i = 0; i < trial->matrix.nr; i++) {
		bool by_start = seen[i][EDGE_START] || seen[i][EDGE_PROMOTED];
		assert_int_equal(trial->matrix.roots[i] == HOLD_START, by_start);
		assert_int_equal(trial->matrix.roots[i] != HOLD_NOT,
				 by_start || seen[i][EDGE_INTERIOR]);
	}
}

static void for_graphs(uint64_t nr, void (*check)(struct trial *trial))
{
	for (uint64_t number = 0; number < nr; number++) {
		struct trial trial = make_trial(number);
		assert_int_equal(trial.graph.nr_blocks, trial.matrix.nr);
		if (trial.matrix.nr)
			check(&trial);
		end_trial(&trial);
	}
}

static void for_each_graph(void (*check)(struct trial *trial))
{
	for_graphs(GRAPHS, check);
}

static void check_rest(struct trial *trial)
{
	check_lost(trial);
	check_attribution(trial);
	check_roots(trial);
}

static void reach_is_the_closure_of_the_roots(void **state)
{
	(void)state;
	for_each_graph(check_reach);
}

static void leaks_are_what_nothing_lost_holds(void **state)
{
	(void)state;
	for_each_graph(check_rest);
}

static void what_a_block_retains_goes_with_it(void **state)
{
	(void)state;
	for_graphs(FEW_GRAPHS, check_dominators);
}

/* The blocks one after another make up the graph that one would draw. */
static void check_edges(struct trial *trial)
{
	uint8_t holds[BLOCKS_MAX][BLOCKS_MAX] = { { 0 } };
	for (uint32_t rank = 0; rank < trial->matrix.nr; rank++) {
		uint64_t nr = 0;
		const uint32_t *edges = graph_edges(&trial->graph, rank, &nr);
		for (uint64_t i = 0; i < nr; i++) {
			if (edges[i] == EDGE_NONE)
				continue;
			uint8_t hold = edge_class(edges[i]) == EDGE_INTERIOR ? HOLD_INSIDE
									     : HOLD_START;
			uint8_t *entry = &holds[rank][edge_rank(edges[i])];
			*entry = hold > *entry ? hold : *entry;
		}
	}
	assert_memory_equal(holds, trial->matrix.holds, sizeof(holds));
}

/* Words of a block stand one after another, as the plan has its edges. */
static void check_block_places(const struct trial *trial, uint32_t place)
{
	const struct plan *plan = &trial->plan;
	const struct plan_block *blocks = plan->blocks.items;
	struct edge_walk walk = graph_walk(&trial->graph, blocks[place].rank);
	uint64_t offset = 0;
	for (size_t i = 0; i < plan->edges.nr; i++) {
		const struct plan_edge *edge = &plan->edges.items[i];
		const struct plan_block *to = &blocks[edge->to];
		struct edge_at at;
		if (edge->from != place)
			continue;
		if (hold_of(to, edge->distance) != HOLD_NOT) {
			assert_true(edge_walk_next(&walk, &at));
			assert_int_equal(edge_rank(at.edge), to->rank);
			assert_int_equal(at.offset, offset);
			assert_int_equal(at.distance, edge->distance);
		}
		offset += 8;
	}
	struct edge_at more;
	assert_false(edge_walk_next(&walk, &more));
}

static void check_places(struct trial *trial)
{
	const struct graph_places *places = &trial->graph.places;
	assert_int_equal(places->edges_are_kept, trial->plan.places);
	if (!places->edges_are_kept)
		return;
	for (uint32_t i = 0; i < trial->plan.blocks.nr; i++)
		if (trial->plan.blocks.items[i].rank != RANK_NONE)
			check_block_places(trial, i);
	size_t nr = 0;
	for (size_t i = 0; i < trial->plan.edges.nr; i++) {
		const struct plan_edge *edge = &trial->plan.edges.items[i];
		const struct plan_block *to = &trial->plan.blocks.items[edge->to];
		if (edge->from != PLAN_ROOT || hold_of(to, edge->distance) == HOLD_NOT)
			continue;
		assert_true(nr < places->roots.nr);
		assert_int_equal(edge_rank(places->roots.items[nr].edge), to->rank);
		assert_int_equal(places->roots.items[nr++].where, i);
	}
	assert_int_equal(nr, places->roots.nr);
}

static void places_are_those_of_the_words(void **state)
{
	(void)state;
	for_graphs(FEW_GRAPHS, check_places);
}

static void edges_are_those_of_the_words(void **state)
{
	(void)state;
	for_each_graph(check_edges);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(edges_are_those_of_the_words),
		cmocka_unit_test(places_are_those_of_the_words),
		cmocka_unit_test(reach_is_the_closure_of_the_roots),
		cmocka_unit_test(leaks_are_what_nothing_lost_holds),
		cmocka_unit_test(what_a_block_retains_goes_with_it),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
