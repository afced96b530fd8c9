/* sound: see sound.h. */
#include "graph/sound.h"

#include "base/bitmap.h"

#define AHEAD 16u

/* --- what is live ----------------------------------------------------------------------- */

static bool roots_are_live(const struct graph_root_vec *roots, const uint64_t *live,
			   uint64_t *held)
{
	bool good = true;
	for (size_t i = 0; i < roots->nr; i++) {
		uint32_t rank = edge_rank(roots->items[i].edge);
		good &= bitmap_test(live, rank);
		bitmap_set(held, rank);
	}
	return good;
}

static bool run_is_live(const struct edge_run *run, uint32_t from, const uint64_t *live,
			uint64_t *held)
{
	bool good = true;
	for (uint64_t i = 0; i < run->nr; i++) {
		uint32_t to = edge_rank(run->edges[i]);
		if (run->edges[i] == EDGE_NONE || to == from)
			continue;
		good &= bitmap_test(live, to);
		bitmap_set(held, to);
	}
	return good;
}

static enum sound marks(const struct sound_question *question, uint64_t *held)
{
	const struct graph *graph = question->graph;
	const uint64_t *live = question->live;
	bool good = roots_are_live(&graph->roots, live, held);
	good &= roots_are_live(&graph->places.roots, live, held);
	for (size_t i = 0; i < question->nr_doubted; i++) {
		good &= bitmap_test(live, question->doubted[i]);
		bitmap_set(held, question->doubted[i]);
	}
	for (uint32_t rank = 0; good && rank < graph->nr_blocks; rank++) {
		if (!bitmap_test(live, rank))
			continue;
		struct edge_run run = graph_run(graph, graph_row(graph, rank), rank);
		good = run_is_live(&run, rank, live, held);
	}
	if (!good)
		return SOUND_NOT_CLOSED;
	for (size_t i = 0; i < bitmap_words(graph->nr_blocks); i++)
		if (live[i] & ~held[i])
			return SOUND_NOT_HELD;
	return SOUND;
}

/* --- cycles ----------------------------------------------------------------------------- */

/* Whether edges lead from a block to others that are on a cycle; these are noted. */
static bool leads_on(const struct graph *graph, uint32_t from, const uint64_t *cyclic,
		     uint64_t *met)
{
	struct edge_run run = graph_run(graph, graph_row(graph, from), from);
	bool leads = false;
	for (uint64_t i = 0; i < run.nr; i++) {
		uint32_t to = edge_rank(run.edges[i]);
		if (run.edges[i] == EDGE_NONE || to == from || !bitmap_test(cyclic, to))
			continue;
		leads = true;
		bitmap_set(met, to);
	}
	return leads;
}

static enum sound cycles(const struct sound_question *question, uint64_t *met)
{
	const struct graph *graph = question->graph;
	for (uint32_t rank = 0; rank < graph->nr_blocks; rank++)
		if (bitmap_test(question->cyclic, rank) &&
		    !leads_on(graph, rank, question->cyclic, met))
			return SOUND_NO_CYCLE;
	for (size_t i = 0; i < bitmap_words(graph->nr_blocks); i++)
		if (question->cyclic[i] & ~met[i])
			return SOUND_NO_CYCLE;
	return SOUND;
}

/* --- dominators ------------------------------------------------------------------------- */

static void note_size(void *context, uint32_t rank, uint64_t address, uint64_t size)
{
	(void)address;
	((uint64_t *)context)[rank] = size;
}

/* A lost block keeps nothing that is live, and what is live nothing that is lost. */
static bool is_mixed(const struct sound_question *question, uint32_t node,
		     uint32_t parent)
{
	bool of_live = parent >= question->dominators->nr_blocks ||
		       bitmap_test(question->live, parent);
	return of_live != bitmap_test(question->live, node);
}

static enum sound tree(const struct sound_question *question, uint64_t *sums)
{
	const struct dominators *found = question->dominators;
	const uint32_t *parents = found->parents.memory;
	bool mixed = false;
	space_each(&question->graph->space, note_size, sums);
	for (uint32_t node = 0; node < found->nr_blocks; node++) {
		uint32_t parent = parents[node];
		if (node + AHEAD < found->nr_blocks && parents[node + AHEAD] != RANK_NONE)
			__builtin_prefetch(&sums[parents[node + AHEAD]], 1);
		if (parent == RANK_NONE)
			continue;
		sums[parent] += dominators_retained(found, node);
		mixed |= is_mixed(question, node, parent);
	}
	for (uint32_t node = 0; node < found->nr; node++)
		if (sums[node] != dominators_retained(found, node))
			return SOUND_NO_SUM;
	return mixed ? SOUND_MIXED : SOUND;
}

static struct error *find_of_tree(const struct sound_question *question,
				  enum sound *sound)
{
	struct area sums = { 0 };
	if (!dominators_are_tree(question->dominators)) {
		*sound = SOUND_NO_TREE;
		return NULL;
	}
	if (!area_reserve(&sums, ((size_t)question->dominators->nr + 1) * 8))
		return error_no_memory();
	*sound = tree(question, sums.memory);
	area_release(&sums);
	return NULL;
}

struct error *sound_find(const struct sound_question *question, enum sound *sound)
{
	struct area held = { 0 }, met = { 0 };
	size_t bytes = bitmap_words(question->graph->nr_blocks + 1) * 8;
	struct error *error = NULL;
	*sound = SOUND;
	if (!area_reserve(&held, bytes) || !area_reserve(&met, bytes))
		error = error_no_memory();
	if (!error)
		*sound = marks(question, held.memory);
	if (!error && *sound == SOUND)
		*sound = cycles(question, met.memory);
	area_release(&held);
	area_release(&met);
	return error || *sound != SOUND ? error : find_of_tree(question, sound);
}
