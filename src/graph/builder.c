/* builder: see builder.h. */
#include "graph/builder.h"

#include <pthread.h>
#include <string.h>

#include "base/bitmap.h"

void builder_init(struct builder *builder)
{
	*builder = (struct builder){ 0 };
}

void builder_deinit(struct builder *builder)
{
	graph_deinit(&builder->graph);
	area_release(&builder->high);
	area_release(&builder->indices);
	area_release(&builder->values);
	for (size_t i = 0; i < HINT_NR; i++)
		area_release(&builder->hints[i]);
	for (size_t i = 0; i < ARRAY_SIZE(builder->seen); i++)
		area_release(&builder->seen[i]);
	builder_subobject_vec_deinit(&builder->subobjects);
	graph_root_vec_deinit(&builder->pending);
	graph_word_vec_deinit(&builder->pending_words);
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
	bool good = area_reserve(&graph->edges, edges * sizeof(uint32_t)) &&
		    area_reserve(&builder->high, edges) &&
		    area_reserve(&graph->degrees, blocks) &&
		    area_reserve(&graph->bases,
				 (blocks / BASE_BLOCKS + 2) * sizeof(uint64_t));
	for (size_t i = 0; good && i < HINT_NR; i++)
		good = area_reserve(&builder->hints[i], bitmap_words(blocks) * 8);
	return good;
}

struct error *builder_window(struct builder *builder, uint64_t address,
			     const uint64_t *words, size_t nr, size_t nr_chunks)
{
	builder->window = address;
	builder->window_end = address + nr * sizeof(*words);
	builder->at = 0;
	builder->nr_found = 0;
	if (!area_reserve(&builder->indices, (nr + 16) * sizeof(uint32_t)) ||
	    !area_reserve(&builder->values, (nr + 16) * sizeof(uint64_t)))
		return error_no_memory();
	if (words)
		builder->nr_found = scan_words(&builder->ranges, words, nr,
					       builder->indices.memory,
					       builder->values.memory);
	return reserve_for_window(builder, builder->nr_found, nr_chunks)
		       ? NULL
		       : error_no_memory();
}

/* Appends a word as an edge to be; room was made by builder_window. */
static inline void push_edge(struct builder *builder, uint64_t word)
{
	uint64_t offset = space_offset(&builder->graph.space, word);
	if (offset == SPACE_NONE)
		return;
	uint64_t at = builder->graph.nr_edges++;
	((uint32_t *)builder->graph.edges.memory)[at] = (uint32_t)offset;
	((uint8_t *)builder->high.memory)[at] = (uint8_t)(offset >> 32);
}

static struct error *consume_roots(struct builder *builder, size_t end)
{
	const uint32_t *indices = builder->indices.memory;
	const uint64_t *values = builder->values.memory;
	for (; builder->at < builder->nr_found && indices[builder->at] < end;
	     builder->at++) {
		struct error *error = builder_root(
			builder, values[builder->at], builder->root_source,
			builder->window + (uint64_t)indices[builder->at] * 8);
		if (error)
			return error;
	}
	return NULL;
}

/* Gives the words found before `address` to what they belong to. */
static struct error *consume(struct builder *builder, uint64_t address)
{
	size_t end = (address - builder->window) / 8;
	const uint32_t *indices = builder->indices.memory;
	const uint64_t *values = builder->values.memory;
	if (builder->mode == BUILDER_ROOT)
		return consume_roots(builder, end);
	size_t block_end = 0;
	if (builder->mode == BUILDER_BLOCK && builder->block_end > builder->window)
		block_end = (builder->block_end - builder->window) / 8;
	size_t at = builder->at;
	for (; at < builder->nr_found && indices[at] < end; at++)
		if (indices[at] < block_end)
			push_edge(builder, values[at]);
	builder->at = at;
	return NULL;
}

/* Writes the degree of the block that ends here. */
static struct error *close_block(struct builder *builder)
{
	if (builder->mode != BUILDER_BLOCK)
		return NULL;
	builder->mode = BUILDER_GAP;
	uint32_t rank = builder_rank(builder);
	uint64_t degree = builder->graph.nr_edges - builder->first_edge;
	uint8_t *degrees = builder->graph.degrees.memory;
	degrees[rank] = degree < DEGREE_LARGE ? (uint8_t)degree : DEGREE_LARGE;
	if (degree < DEGREE_LARGE)
		return NULL;
	struct graph_large large = { .rank = rank, .degree = degree };
	return graph_large_vec_push(&builder->graph.large, large) ? NULL
								  : error_no_memory();
}

static struct error *finish_previous(struct builder *builder, uint64_t address)
{
	/* The 16 bytes of header before a chunk hold no pointers: sizes only. */
	struct error *error = consume(builder, address);
	return error ? error : close_block(builder);
}

struct error *builder_block(struct builder *builder, uint64_t address, uint64_t size,
			    unsigned hints)
{
	struct error *error = finish_previous(builder, address);
	if (!error)
		error = space_chunk(&builder->graph.space, address, true);
	if (error)
		return error;
	uint32_t rank = builder_rank(builder);
	if (rank % BASE_BLOCKS == 0)
		((uint64_t *)builder->graph.bases.memory)[rank / BASE_BLOCKS] =
			builder->graph.nr_edges;
	for (unsigned i = 0; hints; i++, hints >>= 1)
		if (hints & 1)
			bitmap_set(builder->hints[i].memory, rank);
	builder->mode = BUILDER_BLOCK;
	builder->block = address;
	builder->block_end = address + size;
	builder->first_edge = builder->graph.nr_edges;
	return NULL;
}

struct error *builder_subobject(struct builder *builder, uint64_t distance)
{
	struct builder_subobject subobject = {
		.rank = builder_rank(builder),
		.distance = (uint32_t)distance,
	};
	return builder_subobject_vec_push(&builder->subobjects, subobject)
		       ? NULL
		       : error_no_memory();
}

struct error *builder_gap(struct builder *builder, uint64_t address)
{
	struct error *error = finish_previous(builder, address);
	builder->mode = BUILDER_GAP;
	return error ? error : space_chunk(&builder->graph.space, address, false);
}

struct error *builder_unknown(struct builder *builder, uint64_t address, uint32_t source)
{
	struct error *error = builder_gap(builder, address);
	builder->mode = BUILDER_ROOT;
	builder->root_source = source;
	return error;
}

struct error *builder_window_end(struct builder *builder)
{
	struct error *error = consume(builder, builder->window_end);
	/* Only a block that goes on in the next window stays open. */
	if (!error && builder->mode == BUILDER_BLOCK &&
	    builder->block_end <= builder->window_end)
		error = close_block(builder);
	return error;
}

struct error *builder_blocks_done(struct builder *builder)
{
	struct error *error = close_block(builder);
	struct graph *graph = &builder->graph;
	space_finish(&graph->space);
	graph->nr_blocks = graph->space.nr_blocks;
	area_release(&builder->indices);
	area_release(&builder->values);
	for (size_t i = 0; !error && i < ARRAY_SIZE(builder->seen); i++)
		if (!area_reserve(&builder->seen[i],
				  bitmap_words(graph->nr_blocks + 1) * 8))
			error = error_no_memory();
	for (size_t i = 0; !error && i < builder->pending.nr; i++)
		error = builder_root(builder, builder->pending_words.items[i],
				     builder->pending.items[i].source,
				     builder->pending.items[i].where);
	graph_root_vec_deinit(&builder->pending);
	graph_word_vec_deinit(&builder->pending_words);
	return error;
}

/* --- from offsets to edges ------------------------------------------------------------- */

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

/* Memcheck's heuristics (lc_is_a_chunk_ptr's callers in its leak checker) look at how far
   behind the start a pointer lands: three words for the old std::string, one word for
   counted arrays. */
static bool is_promoted(const struct builder *builder, uint32_t rank, uint64_t distance)
{
	if (distance == 8 && builder->hints[HINT_LENGTH_WORD].memory &&
	    bitmap_test(builder->hints[HINT_LENGTH_WORD].memory, rank))
		return true;
	if (distance == 24 && builder->hints[HINT_STDSTRING].memory &&
	    bitmap_test(builder->hints[HINT_STDSTRING].memory, rank))
		return true;
	return builder->subobjects.nr && distance % 8 == 0 &&
	       is_subobject(builder, rank, distance);
}

static uint32_t resolve(const struct builder *builder, uint64_t offset)
{
	struct space_hit hit = space_find(&builder->graph.space, offset);
	if (hit.rank == RANK_NONE)
		return EDGE_NONE;
	if (hit.distance == 0)
		return edge_make(hit.rank, EDGE_START);
	return edge_make(hit.rank, is_promoted(builder, hit.rank, hit.distance)
					   ? EDGE_PROMOTED
					   : EDGE_INTERIOR);
}

struct part {
	const struct builder *builder;
	uint64_t start, end;
};

static void *resolve_part(void *argument)
{
	const struct part *part = argument;
	uint32_t *edges = part->builder->graph.edges.memory;
	const uint8_t *high = part->builder->high.memory;
	const struct space_group *groups = space_groups(&part->builder->graph.space);
	uint64_t grouped_size = part->builder->graph.space.grouped_size;
	for (uint64_t i = part->start; i < part->end; i++) {
		/* The group of an edge a little ahead is on its way meanwhile. */
		uint64_t next = i + 16 < part->end ? i + 16 : i;
		uint64_t ahead = (uint64_t)high[next] << 32 | edges[next];
		if (ahead < grouped_size)
			__builtin_prefetch(&groups[ahead / GROUP_BYTES]);
		edges[i] = resolve(part->builder, (uint64_t)high[i] << 32 | edges[i]);
	}
	return NULL;
}

static struct error *push_root(struct builder *builder, uint32_t edge, uint32_t source,
			       uint64_t where)
{
	if (edge == EDGE_NONE ||
	    !bitmap_claim(builder->seen[edge_class(edge)].memory, edge_rank(edge)))
		return NULL;
	struct graph_root root = { .edge = edge, .source = source, .where = where };
	return graph_root_vec_push(&builder->graph.roots, root) ? NULL
								: error_no_memory();
}

struct error *builder_root(struct builder *builder, uint64_t word, uint32_t source,
			   uint64_t where)
{
	uint64_t offset = space_offset(&builder->graph.space, word);
	if (offset == SPACE_NONE)
		return NULL;
	if (builder->seen[0].memory)
		return push_root(builder, resolve(builder, offset), source, where);
	struct graph_root root = { .source = source, .where = where };
	return graph_root_vec_push(&builder->pending, root) &&
			       graph_word_vec_push(&builder->pending_words, word)
		       ? NULL
		       : error_no_memory();
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
	area_release(&builder->high);
	area_trim(&builder->graph.edges, nr_edges * sizeof(uint32_t));
	*graph = builder->graph;
	builder->graph = (struct graph){ 0 };
	return NULL;
}
