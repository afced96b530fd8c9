/* lost: see lost.h. */
#include "graph/lost.h"

#include "base/bitmap.h"
#include "graph/components.h"

/* All numbers below are places among the lost blocks (0 … nr - 1), not ranks. */
struct finder {
	const struct graph *graph;
	const uint64_t *reached;
	struct lost *lost;
	struct components components; /* of the lost blocks */
	struct area leaders;          /* uint32_t[nr_components] */
	struct area owner;            /* uint32_t[nr_components] */
	struct area held;             /* uint8_t[nr]: enum held */
	struct area met;              /* bitmap by component: has an owner already */
	uint32_t counter;
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

static uint32_t rank_of(const struct finder *finder, uint32_t place)
{
	return components_rank(&finder->components, place);
}

/* The next edge of a lost block that leads to another. */
static uint32_t next_target(const struct finder *finder, uint32_t place, uint64_t *next,
			    enum edge_class *class)
{
	return components_next(&finder->components, place, next, class);
}

static void note_if_lost(void *context, uint32_t rank, uint64_t address, uint64_t size)
{
	(void)address;
	struct finder *finder = context;
	if (is_lost(finder, rank))
		((uint64_t *)finder->lost->sizes.memory)[finder->counter++] = size;
}

static void note_each(struct finder *finder)
{
	for (uint32_t i = 0; i < finder->lost->nr; i++) {
		uint64_t address = 0, size = 0;
		space_block(&finder->graph->space, rank_of(finder, i), &address, &size);
		((uint64_t *)finder->lost->sizes.memory)[i] = size;
	}
}

/* A few are looked up one by one; when many are lost, one pass over all is cheaper. */
static void note_sizes(struct finder *finder)
{
	if (finder->lost->nr < finder->graph->nr_blocks / 64)
		note_each(finder);
	else
		space_each(&finder->graph->space, note_if_lost, finder);
}

static bool reserve(struct finder *finder)
{
	uint32_t nr = finder->components.nr;
	size_t bytes = ((size_t)nr + 1) * sizeof(uint32_t);
	size_t nr_components = finder->components.nr_components;
	if (!area_reserve(&finder->lost->owners, bytes) ||
	    !area_reserve(&finder->lost->holders, bytes) ||
	    !area_reserve(&finder->lost->sizes, (size_t)nr * sizeof(uint64_t) + 8) ||
	    !area_reserve(&finder->held, (size_t)nr + 1) ||
	    !area_reserve(&finder->leaders, (nr_components + 1) * sizeof(uint32_t)) ||
	    !area_reserve(&finder->owner, (nr_components + 1) * sizeof(uint32_t)) ||
	    !area_reserve(&finder->met, bitmap_words(nr_components + 1) * 8))
		return false;
	for (uint32_t i = 0; i < nr; i++)
		numbers(&finder->lost->holders)[i] = RANK_NONE;
	return true;
}

/* Who holds whom, and how. */
static void note_holders(struct finder *finder)
{
	const uint32_t *component = numbers(&finder->components.numbers);
	uint8_t *held = finder->held.memory;
	for (uint32_t i = 0; i < finder->lost->nr; i++) {
		enum edge_class class;
		uint64_t next = 0;
		for (uint32_t target; (target = next_target(finder, i, &next, &class)) !=
				      COMPONENTS_NONE;) {
			numbers(&finder->lost->holders)[target] = rank_of(finder, i);
			if (component[target] != component[i])
				held[target] |= HELD_FROM_OUTSIDE;
			else if (class != EDGE_INTERIOR)
				held[target] |= HELD_BY_START;
		}
	}
}

/* The block that stands for a component, COMPONENTS_NONE when another component leads to it. */
static uint32_t leader_of(const struct finder *finder, uint32_t c)
{
	const uint32_t *first = numbers(&finder->components.first);
	const uint32_t *members = numbers(&finder->components.members);
	const uint8_t *held = finder->held.memory;
	uint32_t leader = members[first[c]];
	bool free_standing = false;
	for (uint32_t m = first[c]; m < first[c + 1]; m++) {
		if (held[members[m]] & HELD_FROM_OUTSIDE)
			return COMPONENTS_NONE;
		if (!free_standing && !(held[members[m]] & HELD_BY_START)) {
			free_standing = true;
			leader = members[m];
		}
	}
	return leader;
}

static bool add_roots(struct finder *finder)
{
	const uint32_t *first = numbers(&finder->components.first);
	uint32_t *leaders = numbers(&finder->leaders);
	for (uint32_t c = 0; c < finder->components.nr_components; c++) {
		leaders[c] = leader_of(finder, c);
		numbers(&finder->owner)[c] = LOST_SHARED;
	}
	/* In order of leaders, so that the roots come out ascending. */
	for (uint32_t i = 0; i < finder->lost->nr; i++) {
		uint32_t c = numbers(&finder->components.numbers)[i];
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
	const uint32_t *first = numbers(&finder->components.first);
	const uint32_t *members = numbers(&finder->components.members);
	const uint32_t *component = numbers(&finder->components.numbers);
	for (uint32_t c = finder->components.nr_components; c-- > 0;) {
		uint32_t owner = numbers(&finder->owner)[c];
		for (uint32_t m = first[c]; m < first[c + 1]; m++) {
			enum edge_class class;
			uint64_t next = 0;
			uint32_t target;
			while ((target = next_target(finder, members[m], &next,
						     &class)) != COMPONENTS_NONE)
				if (component[target] != c)
					add_owner(finder, component[target], owner);
		}
	}
}

static void sum_up(struct finder *finder)
{
	const uint64_t *sizes = finder->lost->sizes.memory;
	for (uint32_t i = 0; i < finder->lost->nr; i++) {
		uint32_t owner =
			numbers(&finder->owner)[numbers(&finder->components.numbers)[i]];
		numbers(&finder->lost->owners)[i] = owner;
		if (owner == LOST_SHARED)
			continue;
		finder->lost->roots.items[owner].blocks++;
		finder->lost->roots.items[owner].bytes += sizes[i];
	}
}

static bool find(struct finder *finder)
{
	finder->lost->nr = finder->components.nr;
	if (!reserve(finder))
		return false;
	if (finder->lost->nr == 0)
		return true;
	note_sizes(finder);
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
	struct error *error = components_find(graph, reached, &finder.components);
	if (error)
		return error;
	bool good = find(&finder);
	lost->ranks = finder.components.ranks;
	finder.components.ranks = (struct area){ 0 };
	components_deinit(&finder.components);
	struct area *const arrays[] = {
		&finder.leaders,
		&finder.owner,
		&finder.held,
		&finder.met,
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
