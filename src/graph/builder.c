/* builder: see builder.h. */
#include "graph/builder.h"

#include <pthread.h>
#include <string.h>

#include "base/bitmap.h"

/* Offsets in the space are kept in five bytes. */
#define OFFSET_MAX (((uint64_t)1 << 40) - 1)
/* So many words are taken in at once. */
#define LANES 4u

void builder_init(struct builder *builder)
{
	*builder = (struct builder){ 0 };
}

static void release_found(struct builder *builder)
{
	for (size_t i = 0; i < BUILDER_SLOTS; i++) {
		area_release(&builder->found[i].indices);
		area_release(&builder->found[i].offsets);
	}
}

void builder_deinit(struct builder *builder)
{
	graph_deinit(&builder->graph);
	area_release(&builder->high);
	release_found(builder);
	for (size_t i = 0; i < HINT_NR; i++)
		area_release(&builder->hints[i]);
	for (size_t i = 0; i < ARRAY_SIZE(builder->seen); i++)
		area_release(&builder->seen[i]);
	builder_subobject_vec_deinit(&builder->subobjects);
	graph_root_vec_deinit(&builder->pending);
	graph_word_vec_deinit(&builder->pending_offsets);
	graph_word_vec_deinit(&builder->stale_offsets);
	*builder = (struct builder){ 0 };
}

struct error *builder_add_span(struct builder *builder, uint64_t start, uint64_t end,
			       bool single)
{
	return space_add_span(&builder->graph.space, start, end, single);
}

/* The biggest span, and everything from the first span to the last. Outside of programs
   with much mapped memory of other kinds the second is hit by few other words. */
struct error *builder_ready(struct builder *builder)
{
	struct error *error = space_ready(&builder->graph.space);
	const struct space_span_vec *spans = &builder->graph.space.spans;
	if (error || spans->nr == 0)
		return error;
	if (builder->graph.space.size > OFFSET_MAX)
		return error_create(ERROR_REFUSED, "the heap spans more than 1 TiB");
	builder->wide = builder->graph.space.size > UINT32_MAX;
	size_t biggest = builder->graph.space.biggest;
	const struct space_span *big = &spans->items[biggest];
	/* When the biggest is the first or the last, the hull of the others leaves it out. */
	size_t first = biggest == 0 && spans->nr > 1 ? 1 : 0;
	size_t last = biggest + 1 == spans->nr && spans->nr > 1 ? spans->nr - 2
								: spans->nr - 1;
	builder->ranges = (struct scan_ranges){
		.start = { big->start, spans->items[first].start },
		.size = { big->end - big->start,
			  spans->items[last].end - spans->items[first].start },
	};
	return NULL;
}

static bool reserve_for_window(struct builder *builder, size_t nr_edges, size_t nr_chunks)
{
	struct graph *graph = &builder->graph;
	uint64_t edges = graph->nr_edges + nr_edges;
	uint64_t blocks = graph->space.nr_blocks + nr_chunks + 1;
	return area_reserve(&graph->edges, (edges + EDGES_PAD) * sizeof(uint32_t)) &&
	       (!builder->wide || area_reserve(&builder->high, edges + LANES)) &&
	       (!builder->wants_edge_places ||
		area_reserve(&graph->places.edges, edges * sizeof(struct edge_place))) &&
	       area_reserve(&graph->rows,
			    (blocks / ROW_BLOCKS + 1) * sizeof(struct graph_row));
}

static bool is_subobject(const struct builder *builder, uint32_t rank, uint64_t distance)
{
	size_t low = 0, high = builder->subobjects.nr;
	while (low < high) {
		size_t middle = (low + high) / 2;
		const struct builder_subobject *at = &builder->subobjects.items[middle];
		if (at->rank < rank || (at->rank == rank && at->distance < distance))
			low = middle + 1;
		else
			high = middle;
	}
	return low < builder->subobjects.nr &&
	       builder->subobjects.items[low].rank == rank &&
	       builder->subobjects.items[low].distance == distance;
}

static bool has_hint(const struct builder *builder, enum graph_hint hint, uint32_t rank)
{
	const struct area *hints = &builder->hints[hint];
	return rank / 64 < hints->bytes / 8 && bitmap_test(hints->memory, rank);
}

/* Memcheck's heuristics (lc_is_a_chunk_ptr's callers in its leak checker) look at how far
   behind the start a pointer lands: three words for the old std::string, one word for
   counted arrays. */
static bool is_promoted(const struct builder *builder, uint32_t rank, uint64_t distance)
{
	if (distance == 8 && has_hint(builder, HINT_LENGTH_WORD, rank))
		return true;
	if (distance == 24 && has_hint(builder, HINT_STDSTRING, rank))
		return true;
	return builder->subobjects.nr && distance % 8 == 0 &&
	       is_subobject(builder, rank, distance);
}

static uint32_t edge_of(const struct builder *builder, struct space_hit hit)
{
	if (hit.rank == RANK_NONE)
		return EDGE_NONE;
	if (hit.distance == 0)
		return edge_make(hit.rank, EDGE_START);
	return edge_make(hit.rank, is_promoted(builder, hit.rank, hit.distance)
					   ? EDGE_PROMOTED
					   : EDGE_INTERIOR);
}

static uint32_t resolve(const struct builder *builder, uint64_t offset)
{
	return edge_of(builder, space_find(&builder->graph.space, offset));
}

static struct error *keep_root(struct builder *builder, struct graph_root root)
{
	struct graph_places *places = &builder->graph.places;
	if (places->roots.nr < PLACES_ROOTS_MAX)
		return graph_root_vec_push(&places->roots, root) ? NULL
								 : error_no_memory();
	places->roots_left_out++;
	return NULL;
}

static struct error *push_root(struct builder *builder, uint32_t edge, uint32_t source,
			       uint64_t where)
{
	struct graph_root whole = { .edge = edge, .source = source, .where = where };
	if (builder->wants_roots && edge != EDGE_NONE) {
		struct error *error = keep_root(builder, whole);
		if (error)
			return error;
	}
	source = graph_root_kind(&whole);
	if (edge == EDGE_NONE ||
	    !bitmap_claim(builder->seen[edge_class(edge)].memory, edge_rank(edge)))
		return NULL;
	struct graph_root root = { .edge = edge, .source = source, .where = where };
	return graph_root_vec_push(&builder->graph.roots, root) ? NULL
								: error_no_memory();
}

static struct error *take_root(struct builder *builder, uint64_t offset, uint32_t source,
			       uint64_t where)
{
	if (builder->seen[0].memory)
		return push_root(builder, resolve(builder, offset), source, where);
	struct graph_root root = { .source = source, .where = where };
	return graph_root_vec_push(&builder->pending, root) &&
			       graph_word_vec_push(&builder->pending_offsets, offset)
		       ? NULL
		       : error_no_memory();
}

/* From words that may be pointers to places in the space; what points past every span is
   left out. */
static size_t keep_offsets(const struct space *space, uint32_t *indices, uint64_t *words,
			   size_t nr)
{
	size_t kept = 0;
	for (size_t i = 0; i < nr; i++) {
		uint64_t offset = space_offset(space, words[i]);
		indices[kept] = indices[i];
		words[kept] = offset;
		kept += offset != SPACE_NONE;
	}
	return kept;
}

struct error *builder_scan(struct builder *builder, unsigned slot, const uint64_t *words,
			   size_t nr_words)
{
	struct builder_found *found = &builder->found[slot];
	if (!area_reserve(&found->indices, (nr_words + 16) * sizeof(uint32_t)) ||
	    !area_reserve(&found->offsets, (nr_words + 16) * sizeof(uint64_t)))
		return error_no_memory();
	uint32_t *indices = found->indices.memory;
	uint64_t *offsets = found->offsets.memory;
	size_t nr =
		words ? scan_words(&builder->ranges, words, nr_words, indices, offsets)
		      : 0;
	found->nr = keep_offsets(&builder->graph.space, indices, offsets, nr);
	for (unsigned i = 0; i < LANES; i++)
		indices[found->nr + i] = UINT32_MAX;
	return NULL;
}

typedef struct error *take_offset(struct builder *builder, uint64_t offset,
				  uint32_t source, uint64_t where);

static struct error *push_stale(struct builder *builder, uint64_t offset, uint32_t source,
				uint64_t where)
{
	struct graph_root_vec *stale = &builder->graph.stale;
	struct graph_root root = { .source = source, .where = where };
	if (stale->nr == STALE_MAX)
		return NULL;
	return graph_root_vec_push(stale, root) &&
			       graph_word_vec_push(&builder->stale_offsets, offset)
		       ? NULL
		       : error_no_memory();
}

/* Gives each word found before index `end` to `take`. */
static struct error *consume_words(struct builder *builder,
				   const struct builder_found *found, uint64_t window,
				   size_t end, take_offset *take)
{
	const uint32_t *indices = found->indices.memory;
	const uint64_t *offsets = found->offsets.memory;
	for (; builder->at < found->nr && indices[builder->at] < end; builder->at++) {
		struct error *error = take(builder, offsets[builder->at],
					   builder->open.source,
					   window + (uint64_t)indices[builder->at] * 8);
		if (error)
			return error;
	}
	return NULL;
}

/* Appends the words found before `end` as edges to be, unless they lie past the block. A few
   at a time are written in any case and kept only if they count: how many a block has is as
   good as random, and a branch on it would be mispredicted. */
static inline void consume_edges(struct builder *builder,
				 const struct builder_found *found, uint64_t window,
				 size_t end)
{
	const uint32_t *indices = (const uint32_t *)found->indices.memory + builder->at;
	const uint64_t *offsets = (const uint64_t *)found->offsets.memory + builder->at;
	uint64_t block_end = builder->open.address + builder->open.size;
	uint64_t limit = block_end > window ? (block_end - window) / 8 : 0;
	uint32_t *low = (uint32_t *)builder->graph.edges.memory + builder->graph.nr_edges;
	uint8_t *high = (uint8_t *)builder->high.memory + builder->graph.nr_edges;
	size_t nr_taken = 0, nr_edges = 0;
	unsigned taken = LANES;
	while (taken == LANES) {
		taken = 0;
		for (unsigned lane = 0; lane < LANES; lane++) {
			uint64_t offset = offsets[nr_taken + lane];
			uint32_t index = indices[nr_taken + lane];
			low[nr_edges] = (uint32_t)offset;
			if (builder->wide)
				high[nr_edges] = (uint8_t)(offset >> 32);
			nr_edges += (index < end) & (index < limit);
			taken += index < end;
		}
		nr_taken += taken;
	}
	builder->at += nr_taken;
	builder->graph.nr_edges += nr_edges;
}

static struct error *keep_word(struct builder *builder, uint64_t word)
{
	struct graph_places *places = &builder->graph.places;
	uint64_t edge = builder->graph.nr_edges, step = word - builder->last_word;
	((struct edge_place *)places->edges.memory)[edge].word =
		step < PLACE_FAR ? (uint16_t)step : PLACE_FAR;
	builder->last_word = word;
	struct far_place far = { .edge = edge, .number = step };
	return step < PLACE_FAR || far_place_vec_push(&places->far_words, far)
		       ? NULL
		       : error_no_memory();
}

/* The same with the place of each. */
static struct error *consume_placed_edges(struct builder *builder,
					  const struct builder_found *found,
					  uint64_t window, size_t end)
{
	const uint32_t *indices = found->indices.memory;
	const uint64_t *offsets = found->offsets.memory;
	const struct builder_chunk *open = &builder->open;
	for (; builder->at < found->nr && indices[builder->at] < end; builder->at++) {
		uint64_t address = window + (uint64_t)indices[builder->at] * 8;
		if (address - open->address >= (open->size & ~(uint64_t)7))
			continue;
		uint64_t offset = offsets[builder->at];
		struct error *error = keep_word(builder, (address - open->address) / 8);
		if (error)
			return error;
		((uint32_t *)builder->graph.edges.memory)[builder->graph.nr_edges] =
			(uint32_t)offset;
		if (builder->wide)
			((uint8_t *)builder->high.memory)[builder->graph.nr_edges] =
				(uint8_t)(offset >> 32);
		builder->graph.nr_edges++;
	}
	return NULL;
}

/* Gives the words found before index `end` to what they belong to. */
static inline struct error *consume(struct builder *builder,
				    const struct builder_found *found, uint64_t window,
				    size_t end)
{
	if (builder->open.kind == BUILDER_BLOCK && builder->wants_edge_places)
		return consume_placed_edges(builder, found, window, end);
	if (builder->open.kind == BUILDER_BLOCK) {
		consume_edges(builder, found, window, end);
		return NULL;
	}
	return consume_words(builder, found, window, end,
			     builder->open.kind == BUILDER_UNKNOWN ? take_root
								   : push_stale);
}

static struct error *add_large(struct builder *builder, uint32_t rank, uint64_t degree)
{
	struct graph_large large = { .rank = rank, .degree = degree };
	return graph_large_vec_push(&builder->graph.large, large) ? NULL
								  : error_no_memory();
}

/* Writes the degree of the block that ends here. */
static inline struct error *close_block(struct builder *builder)
{
	if (builder->open.kind != BUILDER_BLOCK)
		return NULL;
	builder->open.kind = BUILDER_GAP;
	uint32_t rank = builder_nr_blocks(builder) - 1;
	uint64_t degree = builder->graph.nr_edges - builder->first_edge;
	graph_row(&builder->graph, rank)->degrees[rank % ROW_BLOCKS] =
		degree < DEGREE_LARGE ? (uint8_t)degree : DEGREE_LARGE;
	return degree < DEGREE_LARGE ? NULL : add_large(builder, rank, degree);
}

static inline struct error *begin_chunk(struct builder *builder,
					const struct builder_found *found,
					uint64_t window,
					const struct builder_chunk *chunk)
{
	/* The 16 bytes of header before a chunk hold no pointers: sizes only. */
	struct error *error =
		consume(builder, found, window, (chunk->address - window) / 8);
	if (!error)
		error = close_block(builder);
	if (error)
		return error;
	space_chunk(&builder->graph.space, chunk->address, chunk->kind == BUILDER_BLOCK);
	builder->open = *chunk;
	builder->first_edge = builder->graph.nr_edges;
	builder->last_word = 0;
	uint32_t rank = builder_nr_blocks(builder) - 1;
	if (chunk->kind == BUILDER_BLOCK && rank % ROW_BLOCKS == 0)
		graph_row(&builder->graph, rank)->base = builder->graph.nr_edges;
	return NULL;
}

struct error *builder_window(struct builder *builder, const struct builder_window *window)
{
	uint64_t nr_blocks = builder->graph.space.nr_blocks + window->nr_chunks;
	if (nr_blocks > RANK_MAX)
		return error_create(ERROR_REFUSED, "the heap has more than %u blocks",
				    RANK_MAX);
	const struct builder_found *found = &builder->found[window->slot];
	builder->at = 0;
	if (!reserve_for_window(builder, found->nr + LANES, window->nr_chunks))
		return error_no_memory();
	struct error *error = NULL;
	for (size_t i = 0; !error && i < window->nr_chunks; i++)
		error = begin_chunk(builder, found, window->address, &window->chunks[i]);
	if (!error)
		error = consume(builder, found, window->address, window->nr_words);
	/* Only a block that goes on in the next window stays open. */
	uint64_t end = window->address + window->nr_words * 8;
	if (!error && builder->open.address + builder->open.size <= end)
		error = close_block(builder);
	return error;
}

struct error *builder_hint(struct builder *builder, uint32_t rank, unsigned hints)
{
	for (unsigned i = 0; i < HINT_NR; i++) {
		if (!(hints >> i & 1))
			continue;
		if (!area_reserve(&builder->hints[i], ((size_t)rank / 64 + 1) * 8))
			return error_no_memory();
		bitmap_set(builder->hints[i].memory, rank);
	}
	return NULL;
}

struct error *builder_subobject(struct builder *builder, uint32_t rank, uint64_t distance)
{
	struct builder_subobject subobject = {
		.rank = rank,
		.distance = (uint32_t)distance,
	};
	return builder_subobject_vec_push(&builder->subobjects, subobject)
		       ? NULL
		       : error_no_memory();
}

struct error *builder_blocks_done(struct builder *builder)
{
	struct error *error = close_block(builder);
	struct graph *graph = &builder->graph;
	space_finish(&graph->space);
	graph->nr_blocks = graph->space.nr_blocks;
	release_found(builder);
	for (size_t i = 0; !error && i < ARRAY_SIZE(builder->seen); i++)
		if (!area_reserve(&builder->seen[i],
				  bitmap_words(graph->nr_blocks + 1) * 8))
			error = error_no_memory();
	for (size_t i = 0; !error && i < builder->pending.nr; i++)
		error = take_root(builder, builder->pending_offsets.items[i],
				  builder->pending.items[i].source,
				  builder->pending.items[i].where);
	graph_root_vec_deinit(&builder->pending);
	graph_word_vec_deinit(&builder->pending_offsets);
	return error;
}

/* --- from offsets to edges ------------------------------------------------------------- */

struct part {
	struct builder *builder;
	uint64_t start, end;
	struct far_place_vec far; /* distances that do not fit */
	bool failed;
};

static inline uint64_t offset_of(const struct builder *builder, uint64_t edge)
{
	uint64_t low = ((const uint32_t *)builder->graph.edges.memory)[edge];
	if (!builder->wide)
		return low;
	return (uint64_t)((const uint8_t *)builder->high.memory)[edge] << 32 | low;
}

static void keep_distance(struct part *part, uint64_t edge, struct space_hit hit)
{
	struct graph_places *places = &part->builder->graph.places;
	struct far_place far = { .edge = edge, .number = hit.distance };
	bool is_far = hit.distance >= PLACE_FAR;
	((struct edge_place *)places->edges.memory)[edge].distance =
		is_far ? PLACE_FAR : (uint16_t)hit.distance;
	if (is_far && !far_place_vec_push(&part->far, far))
		part->failed = true;
}

static void *resolve_part(void *argument)
{
	struct part *part = argument;
	const struct builder *builder = part->builder;
	uint32_t *edges = builder->graph.edges.memory;
	const struct space_group *groups = space_groups(&builder->graph.space);
	uint64_t grouped_size = builder->graph.space.grouped_size;
	for (uint64_t i = part->start; i < part->end; i++) {
		/* The group of an edge a little ahead is on its way meanwhile. */
		uint64_t ahead = offset_of(builder, i + 16 < part->end ? i + 16 : i);
		if (ahead < grouped_size)
			__builtin_prefetch(&groups[ahead / GROUP_BYTES]);
		struct space_hit hit =
			space_find(&builder->graph.space, offset_of(builder, i));
		edges[i] = edge_of(builder, hit);
		if (builder->wants_edge_places)
			keep_distance(part, i, hit);
	}
	return NULL;
}

struct error *builder_root(struct builder *builder, uint64_t word, uint32_t source,
			   uint64_t where)
{
	uint64_t offset = space_offset(&builder->graph.space, word);
	return offset == SPACE_NONE ? NULL : take_root(builder, offset, source, where);
}

struct error *builder_start_root(struct builder *builder, uint64_t word, uint32_t source)
{
	uint64_t offset = space_offset(&builder->graph.space, word);
	if (offset == SPACE_NONE)
		return NULL;
	uint32_t edge = resolve(builder, offset);
	if (edge == EDGE_NONE || edge_class(edge) != EDGE_START)
		return NULL;
	return push_root(builder, edge, source, 0);
}

struct error *builder_roots(struct builder *builder, const uint64_t *words, size_t nr,
			    uint32_t source, uint64_t where)
{
	enum { BATCH = 4096 };
	uint32_t indices[BATCH + 16];
	uint64_t values[BATCH + 16];
	for (size_t start = 0; start < nr; start += BATCH) {
		size_t length = nr - start < BATCH ? nr - start : BATCH;
		size_t found = scan_words(&builder->ranges, words + start, length,
					  indices, values);
		for (size_t i = 0; i < found; i++) {
			struct error *error = builder_root(
				builder, values[i], source,
				where ? where + (start + indices[i]) * 8 : 0);
			if (error)
				return error;
		}
	}
	return NULL;
}

struct error *builder_stale(struct builder *builder, const uint64_t *words, size_t nr,
			    uint32_t source, uint64_t where)
{
	for (size_t i = 0; i < nr; i++) {
		uint64_t offset = space_offset(&builder->graph.space, words[i]);
		struct error *error =
			offset == SPACE_NONE
				? NULL
				: push_stale(builder, offset, source, where + i * 8);
		if (error)
			return error;
	}
	return NULL;
}

/* Keeps those that lead to the start of a block. */
static void resolve_stale(struct builder *builder)
{
	struct graph_root_vec *stale = &builder->graph.stale;
	size_t kept = 0;
	for (size_t i = 0; i < stale->nr; i++) {
		uint32_t edge = resolve(builder, builder->stale_offsets.items[i]);
		if (edge == EDGE_NONE || edge_class(edge) != EDGE_START)
			continue;
		stale->items[kept] = stale->items[i];
		stale->items[kept++].edge = edge;
	}
	stale->nr = kept;
	graph_word_vec_deinit(&builder->stale_offsets);
}

/* The distances that do not fit, part after part. */
static struct error *join_parts(struct builder *builder, struct part *parts, unsigned nr)
{
	struct graph_places *places = &builder->graph.places;
	bool good = true;
	for (unsigned i = 0; i < nr; i++) {
		good = good && !parts[i].failed;
		for (size_t k = 0; good && k < parts[i].far.nr; k++)
			good = far_place_vec_push(&places->far_distances,
						  parts[i].far.items[k]);
		far_place_vec_deinit(&parts[i].far);
	}
	places->edges_are_kept = builder->wants_edge_places;
	places->roots_are_kept = builder->wants_roots;
	return good ? NULL : error_no_memory();
}

struct error *builder_finish(struct builder *builder, unsigned nr_threads,
			     struct graph *graph)
{
	enum { MOST = 16, WORTH_A_THREAD = 1 << 16 };
	struct part parts[MOST];
	pthread_t threads[MOST];
	uint64_t nr_edges = builder->graph.nr_edges;
	unsigned nr = nr_threads < MOST ? nr_threads : MOST;
	if (nr < 1 || nr_edges < WORTH_A_THREAD)
		nr = 1;
	unsigned started = 0;
	for (unsigned i = 0; i < nr; i++) {
		parts[i] = (struct part){
			.builder = builder,
			.start = nr_edges * i / nr,
			.end = nr_edges * (i + 1) / nr,
		};
		if (i > 0 &&
		    pthread_create(&threads[i], NULL, resolve_part, &parts[i]) != 0)
			break;
		started = i + 1;
	}
	resolve_part(&parts[0]);
	for (unsigned i = started; i < nr; i++) {
		parts[i] = (struct part){ .builder = builder,
					  .start = nr_edges * i / nr,
					  .end = nr_edges * (i + 1) / nr };
		resolve_part(&parts[i]);
	}
	for (unsigned i = 1; i < started; i++)
		pthread_join(threads[i], NULL);
	resolve_stale(builder);
	struct error *error = join_parts(builder, parts, nr);
	if (error)
		return error;
	area_release(&builder->high);
	area_trim(&builder->graph.edges, (nr_edges + EDGES_PAD) * sizeof(uint32_t));
	area_trim(&builder->graph.places.edges, nr_edges * sizeof(struct edge_place));
	*graph = builder->graph;
	builder->graph = (struct graph){ 0 };
	return NULL;
}
