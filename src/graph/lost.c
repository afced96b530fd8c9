/* lost: see lost.h. */
#include "graph/lost.h"

#include "base/bitmap.h"

#define UNSEEN UINT32_MAX

/* All numbers below are places among the lost blocks (0 … nr - 1), not ranks. */
struct finder {
	const struct graph *graph;
	const uint64_t *reached;
	struct lost *lost;
	struct area before;    /* uint32_t per 64 ranks: lost blocks before them */
	struct area component; /* uint32_t[nr]: numbered against the direction of edges */
	uint32_t nr_components;
	struct area low, number; /* Tarjan's */
	struct area stack, path; /* uint32_t[nr]; struct step[] */
	uint32_t depth, path_depth, counter;
	struct area members, first; /* by component: members[first[c] … first[c + 1]] */
	struct area owner;          /* uint32_t[nr_components] */
	struct area held;           /* uint8_t[nr]: enum held */
	struct area met;            /* bitmap by component: has an owner already */
};

struct step {
	uint32_t at;
	uint64_t next; /* edge to look at next */
};

enum held {
	HELD_FROM_OUTSIDE = 1 << 0, /* by a block of another component */
	HELD_BY_START = 1 << 1,     /* by the start, by another member */
};

static uint32_t *numbers(const struct area *area)
{
	return area->memory;
}

static bool is_lost(const struct finder *finder, uint32_t rank)
{
	return !bitmap_test(finder->reached, rank);
}

static uint32_t place_of(const struct finder *finder, uint32_t rank)
{
	uint64_t below = ((uint64_t)1 << (rank % 64)) - 1;
	return numbers(&finder->before)[rank / 64] +
	       (uint32_t)__builtin_popcountll(~finder->reached[rank / 64] & below);
}

static uint32_t rank_of(const struct finder *finder, uint32_t place)
{
	return numbers(&finder->lost->ranks)[place];
}

/* The next edge of a lost block that leads to a lost block other than itself, from edge
   *next on; UNSEEN when there is none. */
static uint32_t next_target(const struct finder *finder, uint32_t place, uint64_t *next,
			    enum edge_class *class)
{
	uint32_t rank = rank_of(finder, place);
	uint64_t nr = 0;
	const uint32_t *edges = graph_edges(finder->graph, rank, &nr);
	while (*next < nr) {
		uint32_t edge = edges[(*next)++];
		if (edge == EDGE_NONE || edge_rank(edge) == rank ||
		    !is_lost(finder, edge_rank(edge)))
			continue;
		*class = edge_class(edge);
		return place_of(finder, edge_rank(edge));
	}
	return UNSEEN;
}

static void note_block(struct finder *finder, uint32_t rank, uint64_t size)
{
	uint32_t place = finder->counter++;
	numbers(&finder->lost->ranks)[place] = rank;
	((uint64_t *)finder->lost->sizes.memory)[place] = size;
}

static void note_if_lost(void *context, uint32_t rank, uint64_t address, uint64_t size)
{
	(void)address;
	struct finder *finder = context;
	if (is_lost(finder, rank))
		note_block(finder, rank, size);
}

/* Bits of the 64 blocks from rank 64 * i on that are lost. */
static uint64_t lost_bits(const struct finder *finder, size_t i)
{
	uint64_t nr_blocks = finder->graph->nr_blocks;
	uint64_t blocks = UINT64_MAX;
	if (i == nr_blocks / 64)
		blocks = ((uint64_t)1 << (nr_blocks % 64)) - 1;
	return ~finder->reached[i] & blocks;
}

static void note_each(struct finder *finder)
{
	size_t nr_words = bitmap_words(finder->graph->nr_blocks);
	for (size_t i = 0; i < nr_words; i++) {
		for (uint64_t bits = lost_bits(finder, i); bits; bits &= bits - 1) {
			uint32_t rank =
				(uint32_t)(i * 64) + (uint32_t)__builtin_ctzll(bits);
			uint64_t address = 0, size = 0;
			space_block(&finder->graph->space, rank, &address, &size);
			note_block(finder, rank, size);
		}
	}
}

/* A few are looked up one by one; when many are lost, one pass over all is cheaper. */
static void note_lost(struct finder *finder)
{
	if (finder->lost->nr < finder->graph->nr_blocks / 64)
		note_each(finder);
	else if (finder->lost->nr > 0)
		space_each(&finder->graph->space, note_if_lost, finder);
}

/* Numbers the lost blocks. */
static bool number_lost(struct finder *finder)
{
	uint64_t nr_blocks = finder->graph->nr_blocks;
	size_t nr_words = bitmap_words(nr_blocks);
	uint32_t nr = 0;
	if (!area_reserve(&finder->before, (nr_words + 1) * sizeof(uint32_t)))
		return false;
	for (size_t i = 0; i < nr_words; i++) {
		numbers(&finder->before)[i] = nr;
		nr += (uint32_t)__builtin_popcountll(lost_bits(finder, i));
	}
	finder->lost->nr = nr;
	size_t bytes = ((size_t)nr + 1) * sizeof(uint32_t);
	struct area *const arrays[] = {
		&finder->lost->ranks, &finder->lost->owners, &finder->lost->holders,
		&finder->component,   &finder->low,          &finder->number,
		&finder->stack,       &finder->members,
	};
	for (size_t i = 0; i < ARRAY_SIZE(arrays); i++)
		if (!area_reserve(arrays[i], bytes))
			return false;
	if (!area_reserve(&finder->lost->sizes, (size_t)nr * sizeof(uint64_t) + 8) ||
	    !area_reserve(&finder->held, (size_t)nr + 1))
		return false;
	note_lost(finder);
	finder->counter = 0;
	for (uint32_t i = 0; i < nr; i++) {
		numbers(&finder->number)[i] = UNSEEN;
		numbers(&finder->component)[i] = UNSEEN;
		numbers(&finder->lost->holders)[i] = RANK_NONE;
	}
	return true;
}

static bool enter(struct finder *finder, uint32_t place)
{
	numbers(&finder->number)[place] = finder->counter;
	numbers(&finder->low)[place] = finder->counter++;
	numbers(&finder->stack)[finder->depth++] = place;
	size_t bytes = ((size_t)finder->path_depth + 1) * sizeof(struct step);
	if (!area_reserve(&finder->path, bytes))
		return false;
	((struct step *)finder->path.memory)[finder->path_depth++] =
		(struct step){ .at = place };
	return true;
}

static void lower(const struct finder *finder, uint32_t place, uint32_t number)
{
	if (number < numbers(&finder->low)[place])
		numbers(&finder->low)[place] = number;
}

/* All edges of the path's last block are done. */
static void leave(struct finder *finder)
{
	const struct step *path = finder->path.memory;
	uint32_t place = path[--finder->path_depth].at;
	uint32_t low = numbers(&finder->low)[place];
	if (finder->path_depth > 0)
		lower(finder, path[finder->path_depth - 1].at, low);
	if (low != numbers(&finder->number)[place])
		return;
	uint32_t member;
	do {
		member = numbers(&finder->stack)[--finder->depth];
		numbers(&finder->component)[member] = finder->nr_components;
	} while (member != place);
	finder->nr_components++;
}

static bool find_components_from(struct finder *finder, uint32_t start)
{
	if (!enter(finder, start))
		return false;
	while (finder->path_depth > 0) {
		struct step *step =
			(struct step *)finder->path.memory + finder->path_depth - 1;
		enum edge_class class;
		uint32_t target = next_target(finder, step->at, &step->next, &class);
		if (target == UNSEEN)
			leave(finder);
		else if (numbers(&finder->number)[target] == UNSEEN) {
			if (!enter(finder, target))
				return false;
		} else if (numbers(&finder->component)[target] == UNSEEN)
			lower(finder, step->at, numbers(&finder->number)[target]);
	}
	return true;
}

/* Lists the members of each component, in ascending order within each. */
static bool list_members(struct finder *finder)
{
	uint32_t nr = finder->lost->nr;
	if (!area_reserve(&finder->first,
			  ((size_t)finder->nr_components + 2) * sizeof(uint32_t)) ||
	    !area_reserve(&finder->owner,
			  ((size_t)finder->nr_components + 1) * sizeof(uint32_t)) ||
	    !area_reserve(&finder->met, bitmap_words(finder->nr_components + 1u) * 8))
		return false;
	uint32_t *first = numbers(&finder->first);
	const uint32_t *component = numbers(&finder->component);
	for (uint32_t i = 0; i < nr; i++)
		first[component[i] + 2]++;
	for (uint32_t c = 1; c <= finder->nr_components; c++)
		first[c + 1] += first[c];
	for (uint32_t i = 0; i < nr; i++)
		numbers(&finder->members)[first[component[i] + 1]++] = i;
	return true;
}

/* Who holds whom, and how. */
static void note_holders(struct finder *finder)
{
	const uint32_t *component = numbers(&finder->component);
	uint8_t *held = finder->held.memory;
	for (uint32_t i = 0; i < finder->lost->nr; i++) {
		enum edge_class class;
		uint64_t next = 0;
		for (uint32_t target;
		     (target = next_target(finder, i, &next, &class)) != UNSEEN;) {
			numbers(&finder->lost->holders)[target] = rank_of(finder, i);
			if (component[target] != component[i])
				held[target] |= HELD_FROM_OUTSIDE;
			else if (class != EDGE_INTERIOR)
				held[target] |= HELD_BY_START;
		}
	}
}

/* The block that stands for a component, UNSEEN when another component leads to it. */
static uint32_t leader_of(const struct finder *finder, uint32_t c)
{
	const uint32_t *first = numbers(&finder->first);
	const uint32_t *members = numbers(&finder->members);
	const uint8_t *held = finder->held.memory;
	uint32_t leader = members[first[c]];
	bool free_standing = false;
	for (uint32_t m = first[c]; m < first[c + 1]; m++) {
		if (held[members[m]] & HELD_FROM_OUTSIDE)
			return UNSEEN;
		if (!free_standing && !(held[members[m]] & HELD_BY_START)) {
			free_standing = true;
			leader = members[m];
		}
	}
	return leader;
}

static bool add_roots(struct finder *finder)
{
	const uint32_t *first = numbers(&finder->first);
	uint32_t *leaders = numbers(&finder->low); /* Tarjan is done with it */
	for (uint32_t c = 0; c < finder->nr_components; c++) {
		leaders[c] = leader_of(finder, c);
		numbers(&finder->owner)[c] = LOST_SHARED;
	}
	/* In order of leaders, so that the roots come out ascending. */
	for (uint32_t i = 0; i < finder->lost->nr; i++) {
		uint32_t c = numbers(&finder->component)[i];
		if (leaders[c] != i)
			continue;
		struct lost_root root = {
			.leader = rank_of(finder, i),
			.members = first[c + 1] - first[c],
		};
		numbers(&finder->owner)[c] = (uint32_t)finder->lost->roots.nr;
		if (!lost_root_vec_push(&finder->lost->roots, root))
			return false;
	}
	return true;
}

/* One more holder of a component, whose owner is `owner`. */
static void add_owner(struct finder *finder, uint32_t component, uint32_t owner)
{
	uint32_t *theirs = &numbers(&finder->owner)[component];
	bool is_first = bitmap_claim(finder->met.memory, component);
	*theirs = is_first || *theirs == owner ? owner : LOST_SHARED;
}

/* Components are numbered against the direction of edges, so going down from the highest
   number meets every holder before what it holds. */
static void spread_owners(struct finder *finder)
{
	const uint32_t *first = numbers(&finder->first);
	const uint32_t *members = numbers(&finder->members);
	const uint32_t *component = numbers(&finder->component);
	for (uint32_t c = finder->nr_components; c-- > 0;) {
		uint32_t owner = numbers(&finder->owner)[c];
		for (uint32_t m = first[c]; m < first[c + 1]; m++) {
			enum edge_class class;
			uint64_t next = 0;
			uint32_t target;
			while ((target = next_target(finder, members[m], &next,
						     &class)) != UNSEEN)
				if (component[target] != c)
					add_owner(finder, component[target], owner);
		}
	}
}

static void sum_up(struct finder *finder)
{
	const uint64_t *sizes = finder->lost->sizes.memory;
	for (uint32_t i = 0; i < finder->lost->nr; i++) {
		uint32_t owner = numbers(&finder->owner)[numbers(&finder->component)[i]];
		numbers(&finder->lost->owners)[i] = owner;
		if (owner == LOST_SHARED)
			continue;
		finder->lost->roots.items[owner].blocks++;
		finder->lost->roots.items[owner].bytes += sizes[i];
	}
}

static bool find(struct finder *finder)
{
	if (!number_lost(finder))
		return false;
	for (uint32_t i = 0; i < finder->lost->nr; i++)
		if (numbers(&finder->number)[i] == UNSEEN &&
		    !find_components_from(finder, i))
			return false;
	if (finder->lost->nr == 0)
		return true;
	if (!list_members(finder))
		return false;
	note_holders(finder);
	if (!add_roots(finder))
		return false;
	spread_owners(finder);
	sum_up(finder);
	return true;
}

struct error *lost_find(const struct graph *graph, const uint64_t *reached,
			struct lost *lost)
{
	*lost = (struct lost){ 0 };
	struct finder finder = { .graph = graph, .reached = reached, .lost = lost };
	bool good = find(&finder);
	struct area *const arrays[] = {
		&finder.before, &finder.component, &finder.low,     &finder.number,
		&finder.stack,  &finder.path,      &finder.members, &finder.first,
		&finder.owner,  &finder.held,      &finder.met,
	};
	for (size_t i = 0; i < ARRAY_SIZE(arrays); i++)
		area_release(arrays[i]);
	if (good)
		return NULL;
	lost_deinit(lost);
	return error_no_memory();
}

void lost_deinit(struct lost *lost)
{
	area_release(&lost->ranks);
	area_release(&lost->sizes);
	area_release(&lost->owners);
	area_release(&lost->holders);
	lost_root_vec_deinit(&lost->roots);
	*lost = (struct lost){ 0 };
}
