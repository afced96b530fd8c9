/*
 * heap_cycles: blocks that hold each other in a ring, live and lost. Of each strongly connected
 * part (graph/components.h) one shortest ring through one of its blocks is told; rings of the same
 * types and fields are one row.
 *
 * A ring of shared pointers leads through their control blocks. So does one that a weak pointer closes:
 * which of the two it is words alone do not tell.
 */
#include <string.h>

#include "base/hash.h"
#include "base/wildcard.h"
#include "graph/components.h"
#include "views/heap_views_priv.h"

/* A block from which no ring is found is passed over for the next, so often in one part… */
#define TRIES_MAX 64u
/* …and as long as so many blocks were visited in all for it. */
#define VISITS_MAX 1000000u
/* Rings with more blocks are told with the rest left out. */
#define TOLD_MAX 12u

enum { RINGS, BLOCKS, BYTES, LEAST, LENGTH, ADDRESS, STATE, SHARED, NAME, NR_COLUMNS };

static const struct heap_column columns[] = {
	[RINGS] = { "cycles", "cycles", HEAP_COUNT },
	[BLOCKS] = { "blocks", "blocks", HEAP_COUNT },
	[BYTES] = { "bytes", "bytes", HEAP_BYTES },
	[LEAST] = { "retained_least_bytes", "at least", HEAP_BYTES },
	[LENGTH] = { "length", NULL, HEAP_COUNT },
	[ADDRESS] = { "address", "address", HEAP_ADDRESS },
	[STATE] = { "state", "state", HEAP_TEXT },
	[SHARED] = { "shared_ptr", NULL, HEAP_TEXT },
	[NAME] = { "ring", "ring", HEAP_TEXT },
};

/* A block of a ring and where in it the pointer to the next one stands. */
struct link {
	uint32_t rank;
	uint64_t offset;
};
DEFINE_VEC(link_vec, struct link);

/* Rings that look the same. */
struct ring {
	uint64_t rings, blocks, bytes, least, length, address;
	bool is_live, is_shared;
	char *name; /* owned */
};
DEFINE_VEC(ring_vec, struct ring);

struct cycling {
	struct heap_question *question;
	struct area excluded; /* bitmap by rank: blocks that are known to be in no ring */
	struct components components;
	struct area
		before; /* uint32_t by place: who comes before it in this search, + 1 */
	struct area offsets;   /* uint64_t by place: where its pointer stands there */
	struct area queue;     /* uint32_t[]: places */
	struct link_vec links; /* of the ring at hand */
	struct ring_vec rings;
	struct map ids;       /* + 1, by hash of name and state */
	struct area ring_ids; /* uint32_t by part: + 1; 0: none is told of it */
	uint64_t nr_parts,
		nr_without; /* parts, and those without a ring that is wanted */
};

/* --- one ring ------------------------------------------------------------------------- */

/* What a control block's class is told as: "shared_ptr of Ring" for std::_Sp_counted_ptr_inplace<Ring, …>. */
static char *short_class(const char *type)
{
	static const char in_place[] = "std::_Sp_counted_ptr_inplace<";
	const char *name = heap_short_name(type);
	if (strncmp(name, in_place, sizeof(in_place) - 1) != 0)
		return strdup(name);
	const char *at = name + sizeof(in_place) - 1, *end = at;
	for (unsigned depth = 0; *end && (depth || *end != ','); end++)
		depth += (*end == '<') - (*end == '>' && depth);
	struct str out = { 0 };
	str_printf(&out, "shared_ptr of %.*s", (int)(end - at), at);
	return str_take(&out);
}

/* "Node.next"; "Node+8" where no type tells the field's name; "Node" where its place is not known. */
static void put_link(const struct cycling *cycling, struct str *out, uint32_t rank,
		     uint64_t offset)
{
	char *type = heap_block_name(cycling->question, rank);
	char *name = type ? short_class(type) : NULL;
	str_puts(out, name ? name : "");
	out->failed |= !name;
	if (cycling->question->graph->places.edges_are_kept)
		heap_put_word(cycling->question, out, rank, offset);
	free(name);
	free(type);
}

/* A field is left out by its name as it is told, and as "Node+8". */
static bool is_left_out(const struct cycling *cycling, uint32_t rank, uint64_t offset)
{
	const char *const *pattern = cycling->question->options->fields;
	if (!pattern || !*pattern)
		return false;
	struct str field = { 0 }, place = { 0 };
	char *type = heap_block_name(cycling->question, rank);
	put_link(cycling, &field, rank, offset);
	str_printf(&place, "%s+%llu", type ? heap_short_name(type) : "",
		   (unsigned long long)offset);
	bool is_out = false;
	for (; *pattern; pattern++)
		is_out |= wildcard_matches(*pattern, str_text(&field)) ||
			  wildcard_matches(*pattern, str_text(&place));
	str_deinit(&place);
	str_deinit(&field);
	free(type);
	return is_out;
}

/* Meets what a block of the part points to; true when that is the start. */
static bool spread(struct cycling *cycling, uint32_t place, uint32_t start,
		   uint64_t *tail)
{
	const struct components *components = &cycling->components;
	uint32_t part = components_of(components, start);
	uint32_t rank = components_rank(components, place);
	uint32_t *before = cycling->before.memory, *queue = cycling->queue.memory;
	struct edge_walk walk = graph_walk(components->graph, rank);
	struct edge_at at;
	while (edge_walk_next(&walk, &at)) {
		if (!components_has(components, edge_rank(at.edge)))
			continue;
		uint32_t to = components_place(components, edge_rank(at.edge));
		if (to == place || components_of(components, to) != part || before[to] ||
		    is_left_out(cycling, rank, at.offset))
			continue;
		before[to] = place + 1;
		((uint64_t *)cycling->offsets.memory)[to] = at.offset;
		if (to == start)
			return true;
		queue[(*tail)++] = to;
	}
	return false;
}

static bool note_links(struct cycling *cycling, uint32_t start)
{
	const uint32_t *before = cycling->before.memory;
	const uint64_t *offsets = cycling->offsets.memory;
	uint32_t at = start;
	cycling->links.nr = 0;
	do {
		struct link link = { .offset = offsets[at] };
		at = before[at] - 1;
		link.rank = components_rank(&cycling->components, at);
		if (!link_vec_push(&cycling->links, link))
			return false;
	} while (at != start);
	for (size_t i = 0; i < cycling->links.nr / 2; i++) {
		struct link *left = &cycling->links.items[i];
		struct link *right = &cycling->links.items[cycling->links.nr - 1 - i];
		struct link kept = *left;
		*left = *right;
		*right = kept;
	}
	return true;
}

/* A shortest ring through the start, if there is one that is wanted; what was met is forgotten
   again. */
static struct error *find_ring(struct cycling *cycling, uint32_t start, bool *found,
			       uint64_t *visits)
{
	uint32_t *before = cycling->before.memory, *queue = cycling->queue.memory;
	uint64_t head = 0, tail = 0;
	*found = spread(cycling, start, start, &tail);
	while (!*found && head < tail)
		*found = spread(cycling, queue[head++], start, &tail);
	*visits += tail + 1;
	bool good = !*found || note_links(cycling, start);
	before[start] = 0;
	for (uint64_t i = 0; i < tail; i++)
		before[queue[i]] = 0;
	return good ? NULL : error_no_memory();
}

/* --- its name -------------------------------------------------------------------------- */

static bool is_control_block(const char *type)
{
	return strstr(type, "std::_Sp_counted") || strstr(type, "::__shared_ptr_");
}

/* A ring may be told from any of its blocks: the one whose type comes first in the alphabet, then
   by offset. */
static size_t first_link(const struct cycling *cycling)
{
	const struct link *links = cycling->links.items;
	size_t best = 0;
	for (size_t i = 1; i < cycling->links.nr; i++) {
		char *name = heap_block_name(cycling->question, links[i].rank);
		char *least = heap_block_name(cycling->question, links[best].rank);
		int order = name && least ? strcmp(name, least) : 0;
		if (order < 0 || (order == 0 && links[i].offset < links[best].offset))
			best = i;
		free(name);
		free(least);
	}
	return best;
}

static char *name_ring(const struct cycling *cycling, bool *is_shared)
{
	size_t nr = cycling->links.nr, first = first_link(cycling);
	struct str out = { 0 };
	for (size_t i = 0; i < nr && i < TOLD_MAX; i++) {
		const struct link *link = &cycling->links.items[(first + i) % nr];
		char *type = heap_block_name(cycling->question, link->rank);
		str_puts(&out, i ? " -> " : "");
		put_link(cycling, &out, link->rank, link->offset);
		*is_shared |= type && is_control_block(type);
		out.failed |= !type;
		free(type);
	}
	if (nr > TOLD_MAX)
		str_printf(&out, " -> %zu more", nr - TOLD_MAX);
	return str_take(&out);
}

/* --- parts ----------------------------------------------------------------------------- */

/* Puts the ring at hand to its like. */
static struct error *add_ring(struct cycling *cycling, uint32_t part)
{
	struct ring ring = {
		.length = cycling->links.nr,
		.is_live = heap_is_live(cycling->question, cycling->links.items[0].rank),
		.address = heap_address(cycling->question, cycling->links.items[0].rank),
	};
	ring.name = name_ring(cycling, &ring.is_shared);
	if (!ring.name)
		return error_no_memory();
	uint64_t key = hash_bytes(HASH_SEED, ring.name, strlen(ring.name)) ^ ring.is_live;
	uint64_t *id = map_at(&cycling->ids, key);
	if (id && !*id && ring_vec_push(&cycling->rings, ring))
		*id = cycling->rings.nr;
	else
		free(ring.name);
	if (!id || !*id)
		return error_no_memory();
	cycling->rings.items[*id - 1].rings++;
	((uint32_t *)cycling->ring_ids.memory)[part] = (uint32_t)*id;
	return NULL;
}

static struct error *look_at_part(struct cycling *cycling, uint32_t part)
{
	const uint32_t *first = cycling->components.first.memory;
	const uint32_t *members = cycling->components.members.memory;
	unsigned max = cycling->question->options->max_length;
	uint32_t nr = first[part + 1] - first[part];
	struct error *error = NULL;
	bool found = false;
	uint64_t visits = 0;
	if (nr < 2)
		return NULL;
	cycling->nr_parts++;
	for (uint32_t i = 0;
	     !error && !found && i < nr && i < TRIES_MAX && visits < VISITS_MAX; i++) {
		error = find_ring(cycling, members[first[part] + i], &found, &visits);
		found = found && (!max || cycling->links.nr <= max);
	}
	if (!error && found)
		error = add_ring(cycling, part);
	cycling->nr_without += !found;
	return error;
}

/* Rings are of blocks that the filter leaves. What a snapshot knows already need not be found out. */
static struct error *exclude(const struct heap_question *question, struct area *excluded)
{
	size_t nr_words = bitmap_words(question->graph->nr_blocks + 1);
	const uint64_t *cyclic = question->inspection.look.answers.cyclic.memory;
	if (!area_reserve(excluded, nr_words * 8))
		return error_no_memory();
	for (size_t i = 0; cyclic && i < nr_words; i++)
		((uint64_t *)excluded->memory)[i] = ~cyclic[i];
	for (size_t i = 0; question->unwanted && i < nr_words; i++)
		((uint64_t *)excluded->memory)[i] |= question->unwanted[i];
	return NULL;
}

/* What makes no sense in a snapshot is found out again. */
static struct error *find_parts(struct cycling *cycling)
{
	const struct graph *graph = cycling->question->graph;
	const uint64_t *excluded = cycling->excluded.memory;
	const struct answers *answers = &cycling->question->inspection.look.answers;
	bool fits = false;
	struct error *error = NULL;
	if (answers->cyclic.memory && answers->parts.memory &&
	    !cycling->question->unwanted)
		error = components_adopt(graph, excluded, answers->parts.memory,
					 answers->nr_cyclic, &fits, &cycling->components);
	return error || fits ? error
			     : components_find(graph, excluded, &cycling->components);
}

/* The ring that is told of the part of a block; NULL: none is. */
static struct ring *ring_of(const struct cycling *cycling, uint32_t part)
{
	uint32_t id = ((const uint32_t *)cycling->ring_ids.memory)[part];
	return id ? &cycling->rings.items[id - 1] : NULL;
}

/* Adds a block to its part's ring, and what it keeps alive unless it hangs on another of the part. */
static void measure_block(void *context, uint32_t rank, uint64_t address, uint64_t size)
{
	(void)address;
	const struct cycling *cycling = context;
	const struct components *components = &cycling->components;
	const struct dominators *dominators = &cycling->question->dominators;
	if (!components_has(components, rank))
		return;
	uint32_t part = components_of(components, components_place(components, rank));
	struct ring *ring = ring_of(cycling, part);
	if (!ring)
		return;
	uint32_t parent = dominators_parent(dominators, rank);
	bool hangs =
		parent < dominators->nr_blocks && components_has(components, parent) &&
		components_of(components, components_place(components, parent)) == part;
	ring->blocks++;
	ring->bytes += size;
	ring->least += hangs ? 0 : dominators_retained(dominators, rank);
}

static struct error *look_at_parts(struct cycling *cycling)
{
	const struct heap_question *question = cycling->question;
	struct error *error = exclude(question, &cycling->excluded);
	if (!error)
		error = find_parts(cycling);
	size_t nr = cycling->components.nr;
	if (!error && (!area_reserve(&cycling->ring_ids,
				     (cycling->components.nr_components + 1) * 4ul) ||
		       !area_reserve(&cycling->before, (nr + 1) * 4) ||
		       !area_reserve(&cycling->offsets, (nr + 1) * 8) ||
		       !area_reserve(&cycling->queue, (nr + 1) * 4)))
		error = error_no_memory();
	for (uint32_t part = 0; !error && part < cycling->components.nr_components;
	     part++)
		error = look_at_part(cycling, part);
	if (!error)
		space_each(&question->graph->space, measure_block, cycling);
	return error;
}

/* --- the answer ------------------------------------------------------------------------ */

static int by_least(const void *a, const void *b)
{
	const struct ring *left = a, *right = b;
	if (left->is_live != right->is_live)
		return left->is_live ? 1 : -1;
	if (left->least != right->least)
		return left->least < right->least ? 1 : -1;
	return left->address < right->address ? -1 : left->address > right->address;
}

static struct error *put_ring(struct heap_question *question, const struct ring *ring)
{
	struct heap_row *row = heap_row_add(question->report, 0);
	if (!row)
		return error_no_memory();
	heap_put(row, RINGS, ring->rings);
	heap_put(row, BLOCKS, ring->blocks);
	heap_put(row, BYTES, ring->bytes);
	heap_put(row, LEAST, ring->least);
	heap_put(row, LENGTH, ring->length);
	heap_put(row, ADDRESS, ring->address);
	struct error *error = heap_put_copy(row, STATE, ring->is_live ? "live" : "lost");
	if (!error)
		error = heap_put_copy(row, SHARED,
				      ring->is_shared ? "control blocks" : NULL);
	return error ? error : heap_put_copy(row, NAME, ring->name);
}

static struct error *say(const struct cycling *cycling)
{
	uint64_t live = 0, lost = 0;
	for (size_t i = 0; i < cycling->rings.nr; i++)
		*(cycling->rings.items[i].is_live ? &live : &lost) +=
			cycling->rings.items[i].rings;
	struct str all = { 0 }, rest = { 0 };
	heap_put_plural(&all, live + lost, "cycle");
	if (cycling->nr_without) {
		str_puts(&rest, "; of ");
		heap_put_plural(&rest, cycling->nr_without, "more part");
		str_puts(&rest, " no ring is told that was asked for");
	}
	struct error *error =
		heap_say(cycling->question->report,
			 "%s of blocks that hold each other, %llu of them lost%s",
			 str_text(&all), (unsigned long long)lost, str_text(&rest));
	str_deinit(&all);
	str_deinit(&rest);
	return error;
}

static void cycling_deinit(struct cycling *cycling)
{
	for (size_t i = 0; i < cycling->rings.nr; i++)
		free(cycling->rings.items[i].name);
	ring_vec_deinit(&cycling->rings);
	link_vec_deinit(&cycling->links);
	map_deinit(&cycling->ids);
	components_deinit(&cycling->components);
	area_release(&cycling->ring_ids);
	area_release(&cycling->excluded);
	area_release(&cycling->before);
	area_release(&cycling->offsets);
	area_release(&cycling->queue);
}

static struct error *answer(struct heap_question *question)
{
	struct cycling cycling = { .question = question };
	struct error *error = look_at_parts(&cycling);
	if (!error && cycling.rings.nr)
		qsort(cycling.rings.items, cycling.rings.nr,
		      sizeof(cycling.rings.items[0]), by_least);
	size_t nr = heap_rows_shown(question, cycling.rings.nr);
	for (size_t i = 0; !error && i < nr; i++)
		error = put_ring(question, &cycling.rings.items[i]);
	if (!error)
		error = say(&cycling);
	cycling_deinit(&cycling);
	return error;
}

const struct heap_view heap_cycles = {
	.name = "cycles",
	.needs_edge_places = true,
	.columns = columns,
	.nr_columns = NR_COLUMNS,
	.answer = answer,
};
