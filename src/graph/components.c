/* components: see components.h. */
#include "graph/components.h"

#include <string.h>

/* A block on the search's way, and its edges that are still to be looked at. */
struct step {
	uint32_t at, rank;
	const uint32_t *next, *end;
};

struct finder {
	struct components *components;
	struct area low, number; /* Tarjan's */
	struct area stack, path; /* uint32_t[nr]; struct step[] */
	uint32_t depth, path_depth, counter;
	uint64_t
		*cyclic; /* bitmap by rank of members of components of several; or NULL */
};

static uint32_t *numbers(const struct area *area)
{
	return area->memory;
}

uint32_t components_place(const struct components *components, uint32_t rank)
{
	uint64_t below = ((uint64_t)1 << (rank % 64)) - 1;
	return numbers(&components->before)[rank / 64] +
	       (uint32_t)__builtin_popcountll(~components->excluded[rank / 64] & below);
}

uint32_t components_next(const struct components *components, uint32_t place,
			 uint64_t *next, enum edge_class *class)
{
	uint32_t rank = components_rank(components, place);
	uint64_t nr = 0;
	const uint32_t *edges = graph_edges(components->graph, rank, &nr);
	while (*next < nr) {
		uint32_t edge = edges[(*next)++];
		if (edge == EDGE_NONE || edge_rank(edge) == rank ||
		    bitmap_test(components->excluded, edge_rank(edge)))
			continue;
		*class = edge_class(edge);
		return components_place(components, edge_rank(edge));
	}
	return COMPONENTS_NONE;
}

/* Bits of the 64 blocks from rank 64 * i on that count. */
static uint64_t bits_at(const struct components *components, size_t i)
{
	uint64_t nr_blocks = components->graph->nr_blocks;
	uint64_t blocks = UINT64_MAX;
	if (i == nr_blocks / 64)
		blocks = ((uint64_t)1 << (nr_blocks % 64)) - 1;
	return ~components->excluded[i] & blocks;
}

/* Gives the blocks that count their places. */
static bool place_blocks(struct components *components)
{
	size_t nr_words = bitmap_words(components->graph->nr_blocks);
	uint32_t nr = 0;
	if (!area_reserve(&components->before, (nr_words + 1) * sizeof(uint32_t)))
		return false;
	for (size_t i = 0; i < nr_words; i++) {
		numbers(&components->before)[i] = nr;
		nr += (uint32_t)__builtin_popcountll(bits_at(components, i));
	}
	components->nr = nr;
	if (!area_reserve(&components->ranks, ((size_t)nr + 1) * sizeof(uint32_t)))
		return false;
	uint32_t *rank = components->ranks.memory;
	for (size_t i = 0; i < nr_words; i++)
		for (uint64_t bits = bits_at(components, i); bits; bits &= bits - 1)
			*rank++ = (uint32_t)(i * 64) + (uint32_t)__builtin_ctzll(bits);
	return true;
}

static bool reserve(struct finder *finder)
{
	struct components *components = finder->components;
	struct area *const arrays[] = {
		&components->numbers,
		&finder->low,
		&finder->number,
		&finder->stack,
	};
	for (size_t i = 0; i < ARRAY_SIZE(arrays); i++)
		if (!area_reserve(arrays[i],
				  ((size_t)components->nr + 1) * sizeof(uint32_t)))
			return false;
	for (uint32_t i = 0; i < components->nr; i++) {
		numbers(&finder->number)[i] = COMPONENTS_NONE;
		numbers(&components->numbers)[i] = COMPONENTS_NONE;
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
	uint32_t rank = components_rank(finder->components, place);
	uint64_t nr = 0;
	const uint32_t *edges = graph_edges(finder->components->graph, rank, &nr);
	((struct step *)finder->path.memory)[finder->path_depth++] = (struct step){
		.at = place,
		.rank = rank,
		.next = edges,
		.end = edges + nr,
	};
	return true;
}

/* The next block that counts and that the step leads to; COMPONENTS_NONE: there is none. */
static uint32_t next_place(const struct components *components, struct step *step)
{
	while (step->next < step->end) {
		uint32_t edge = *step->next++;
		if (edge != EDGE_NONE && edge_rank(edge) != step->rank &&
		    components_has(components, edge_rank(edge)))
			return components_place(components, edge_rank(edge));
	}
	return COMPONENTS_NONE;
}

static void lower(const struct finder *finder, uint32_t place, uint32_t number)
{
	if (number < numbers(&finder->low)[place])
		numbers(&finder->low)[place] = number;
}

/* All edges of the path's last block are done. */
static void leave(struct finder *finder)
{
	struct components *components = finder->components;
	const struct step *path = finder->path.memory;
	uint32_t place = path[--finder->path_depth].at;
	uint32_t low = numbers(&finder->low)[place];
	if (finder->path_depth > 0)
		lower(finder, path[finder->path_depth - 1].at, low);
	if (low != numbers(&finder->number)[place])
		return;
	uint32_t member;
	bool is_alone = numbers(&finder->stack)[finder->depth - 1] == place;
	do {
		member = numbers(&finder->stack)[--finder->depth];
		numbers(&components->numbers)[member] = components->nr_components;
		if (finder->cyclic && !is_alone)
			bitmap_set(finder->cyclic, components_rank(components, member));
	} while (member != place);
	components->nr_components++;
}

static bool find_from(struct finder *finder, uint32_t start)
{
	const struct components *components = finder->components;
	if (!enter(finder, start))
		return false;
	while (finder->path_depth > 0) {
		struct step *step =
			(struct step *)finder->path.memory + finder->path_depth - 1;
		uint32_t target = next_place(components, step);
		if (target == COMPONENTS_NONE)
			leave(finder);
		else if (numbers(&finder->number)[target] == COMPONENTS_NONE) {
			if (!enter(finder, target))
				return false;
		} else if (components_of(components, target) == COMPONENTS_NONE)
			lower(finder, step->at, numbers(&finder->number)[target]);
	}
	return true;
}

/* Lists the members of each component, in ascending order within each. */
static bool list_members(struct components *components)
{
	size_t nr = components->nr_components;
	if (!area_reserve(&components->first, (nr + 2) * sizeof(uint32_t)))
		return false;
	uint32_t *first = numbers(&components->first);
	for (uint32_t i = 0; i < components->nr; i++)
		first[components_of(components, i) + 2]++;
	for (size_t c = 1; c <= nr; c++)
		first[c + 1] += first[c];
	for (uint32_t i = 0; i < components->nr; i++)
		numbers(&components->members)[first[components_of(components, i) + 1]++] =
			i;
	return true;
}

static bool find(struct finder *finder)
{
	struct components *components = finder->components;
	if (!place_blocks(components) || !reserve(finder))
		return false;
	for (uint32_t i = 0; i < components->nr; i++)
		if (numbers(&finder->number)[i] == COMPONENTS_NONE &&
		    !find_from(finder, i))
			return false;
	return true;
}

static void finder_deinit(struct finder *finder)
{
	area_release(&finder->low);
	area_release(&finder->number);
	area_release(&finder->stack);
	area_release(&finder->path);
}

struct error *components_find(const struct graph *graph, const uint64_t *excluded,
			      struct components *components)
{
	*components = (struct components){ .graph = graph, .excluded = excluded };
	struct finder finder = { .components = components };
	bool good = find(&finder) &&
		    area_reserve(&components->members,
				 ((size_t)components->nr + 1) * sizeof(uint32_t)) &&
		    list_members(components);
	finder_deinit(&finder);
	if (good)
		return NULL;
	components_deinit(components);
	return error_no_memory();
}

/* Parts of several get numbers of their own, in the same order. */
static bool number_parts(const struct components *components, const uint64_t *cyclic,
			 struct area *parts, uint64_t *nr_cyclic)
{
	struct area names = { 0 };
	const size_t nr = components->nr_components;
	const uint64_t nr_blocks = components->nr;
	uint64_t at = 0;
	uint32_t next = 0;
	bool good = area_reserve(&names, (nr + 1) * sizeof(uint32_t));
	for (uint32_t i = 0; good && i < nr_blocks; i++)
		if (bitmap_test(cyclic, i)) {
			numbers(&names)[components_of(components, i)] = 1;
			at++;
		}
	for (size_t i = 0; good && i < nr; i++)
		numbers(&names)[i] = numbers(&names)[i] ? next++ : 0;
	good = good && area_reserve(parts, (at + 1) * sizeof(uint32_t));
	*nr_cyclic = at;
	at = 0;
	for (uint32_t i = 0; good && i < nr_blocks; i++)
		if (bitmap_test(cyclic, i))
			numbers(parts)[at++] =
				numbers(&names)[components_of(components, i)];
	area_release(&names);
	return good;
}

static bool adopt(struct components *components, const uint32_t *parts, uint64_t nr_parts,
		  bool *fits)
{
	if (!place_blocks(components))
		return false;
	const size_t bytes = ((size_t)components->nr + 1) * sizeof(uint32_t);
	*fits = components->nr == nr_parts;
	for (uint64_t i = 0; *fits && i < nr_parts; i++) {
		*fits = parts[i] < nr_parts;
		if (parts[i] >= components->nr_components)
			components->nr_components = parts[i] + 1;
	}
	if (!*fits)
		return true;
	if (!area_reserve(&components->numbers, bytes) ||
	    !area_reserve(&components->members, bytes))
		return false;
	memcpy(components->numbers.memory, parts, nr_parts * sizeof(*parts));
	return list_members(components);
}

struct error *components_adopt(const struct graph *graph, const uint64_t *excluded,
			       const uint32_t *parts, uint64_t nr_parts, bool *fits,
			       struct components *components)
{
	*components = (struct components){ .graph = graph, .excluded = excluded };
	bool good = adopt(components, parts, nr_parts, fits);
	if (!good || !*fits)
		components_deinit(components);
	return good ? NULL : error_no_memory();
}

struct error *components_cyclic(const struct graph *graph, struct area *cyclic,
				struct area *parts, uint64_t *nr_cyclic)
{
	struct area none = { 0 };
	struct components components = { .graph = graph };
	struct finder finder = { .components = &components };
	size_t bytes = bitmap_words(graph->nr_blocks + 1) * 8;
	bool good = area_reserve(&none, bytes) && area_reserve(cyclic, bytes);
	components.excluded = none.memory;
	finder.cyclic = cyclic->memory;
	good = good && find(&finder);
	finder_deinit(&finder);
	good = good && number_parts(&components, cyclic->memory, parts, nr_cyclic);
	components_deinit(&components);
	area_release(&none);
	return good ? NULL : error_no_memory();
}

void components_deinit(struct components *components)
{
	area_release(&components->ranks);
	area_release(&components->before);
	area_release(&components->numbers);
	area_release(&components->members);
	area_release(&components->first);
	*components = (struct components){ 0 };
}
