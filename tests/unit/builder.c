/*
 * Tests of graph/builder: heaps drawn at random, with words drawn at random in them, read in
 * windows of any size; each word that leads to a block is an edge of the block it stands in,
 * or a root, and no other is.
 */
#include "graph/builder.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "unit/layout.h"

DEFINE_VEC(chunk_vec, struct builder_chunk);

/* How blocks look to the heuristics, by rank. */
struct looks {
	unsigned hints;
	uint64_t subobjects[2];
};

struct heap {
	struct layout layout;
	uint64_t **words; /* by span; NULL: all zeros */
	struct looks *looks;
	struct graph_word_vec roots; /* words outside the spans */
	struct builder builder;
	struct chunk_vec chunks; /* of a window */
	size_t next;             /* the first chunk of no window yet */
};

/* --- drawing --------------------------------------------------------------------------- */

static uint64_t draw_word(struct layout *layout)
{
	switch (layout_random(layout, 6)) {
	case 0:
		return layout_random(layout, 3) ? 0 : layout_random(layout, UINT64_MAX);
	case 1: {
		const struct layout_span *last =
			&layout->spans.items[layout->spans.nr - 1];
		uint64_t start = layout->spans.items[0].start;
		return start + layout_random(layout, last->end - start);
	}
	default:
		return layout_address(layout);
	}
}

/* Words for most spans; those of gigabytes, or without chunks, are zeros. */
static uint64_t *draw_words(struct layout *layout, const struct layout_span *span)
{
	uint64_t nr = (span->end - span->start) / 8;
	if (span->nr == 0 || nr > (1u << 20) || layout_random(layout, 10) == 0)
		return NULL;
	uint64_t *words = calloc(nr, sizeof(*words));
	assert_non_null(words);
	uint64_t sparse = 1 + layout_random(layout, 10);
	for (uint64_t i = 0; i < nr; i++)
		if (layout_random(layout, sparse) == 0)
			words[i] = draw_word(layout);
	/* The first header holds sizes. */
	if (!span->single)
		words[0] = words[1] = 0;
	return words;
}

static struct looks draw_looks(struct layout *layout)
{
	struct looks looks = { .hints = (unsigned)layout_random(layout, 4) };
	if (layout_random(layout, 4) == 0)
		looks.subobjects[0] = 8 * (1 + layout_random(layout, 3));
	if (looks.subobjects[0] && layout_random(layout, 2))
		looks.subobjects[1] = looks.subobjects[0] + 8;
	return looks;
}

static struct heap draw_heap(uint64_t seed, unsigned flags)
{
	struct heap heap = { .layout = layout_draw(seed, flags) };
	struct layout *layout = &heap.layout;
	heap.words = calloc(layout->spans.nr, sizeof(*heap.words));
	heap.looks = calloc(layout->nr_blocks + 1, sizeof(*heap.looks));
	assert_non_null(heap.words);
	assert_non_null(heap.looks);
	for (size_t i = 0; i < layout->spans.nr; i++)
		heap.words[i] = draw_words(layout, &layout->spans.items[i]);
	for (uint32_t i = 0; i < layout->nr_blocks; i++)
		heap.looks[i] = draw_looks(layout);
	for (uint64_t nr = layout_random(layout, 6000); nr > 0; nr--)
		assert_true(graph_word_vec_push(&heap.roots, draw_word(layout)));
	return heap;
}

static void end_heap(struct heap *heap)
{
	for (size_t i = 0; i < heap->layout.spans.nr; i++)
		free(heap->words[i]);
	free(heap->words);
	free(heap->looks);
	graph_word_vec_deinit(&heap->roots);
	chunk_vec_deinit(&heap->chunks);
	layout_deinit(&heap->layout);
}

/* --- building -------------------------------------------------------------------------- */

static void assert_good(struct error *error)
{
	if (error)
		fail_msg("%s", error->sentence);
}

/* The chunks of a span whose headers lie before `end`. */
static void list_chunks(struct heap *heap, const struct layout_span *span, uint64_t end)
{
	uint64_t header = span->single ? 0 : LAYOUT_HEADER;
	heap->chunks.nr = 0;
	for (; heap->next < span->first + span->nr; heap->next++) {
		const struct builder_chunk *chunk =
			&heap->layout.chunks.items[heap->next].chunk;
		if (chunk->address - header >= end)
			break;
		assert_true(chunk_vec_push(&heap->chunks, *chunk));
	}
}

static void note_looks(struct heap *heap, uint32_t rank)
{
	for (; rank < builder_nr_blocks(&heap->builder); rank++) {
		const struct looks *looks = &heap->looks[rank];
		assert_good(builder_hint(&heap->builder, rank, looks->hints));
		for (size_t i = 0; i < 2; i++)
			if (looks->subobjects[i])
				assert_good(builder_subobject(&heap->builder, rank,
							      looks->subobjects[i]));
	}
}

static void take_window(struct heap *heap, size_t index, uint64_t address, uint64_t end,
			unsigned slot)
{
	const struct layout_span *span = &heap->layout.spans.items[index];
	const uint64_t *words = heap->words[index];
	list_chunks(heap, span, end);
	const struct builder_window window = {
		.address = address,
		.nr_words = (end - address) / 8,
		.slot = slot,
		.chunks = heap->chunks.items,
		.nr_chunks = heap->chunks.nr,
	};
	uint32_t rank = builder_nr_blocks(&heap->builder);
	assert_good(builder_scan(&heap->builder, slot,
				 words ? words + (address - span->start) / 8 : NULL,
				 window.nr_words));
	assert_good(builder_window(&heap->builder, &window));
	note_looks(heap, rank);
}

/* Windows of at most `most` bytes; a size drawn anew for each if `most` is 0. */
static void stream_span(struct heap *heap, size_t index, uint64_t most)
{
	const struct layout_span *span = &heap->layout.spans.items[index];
	heap->next = span->first;
	unsigned turn = 0;
	for (uint64_t at = span->start; at < span->end; turn++) {
		uint64_t step = most ? most
				     : 16 * (1 + layout_random(&heap->layout, 500));
		/* No one reads gigabytes of zeros in small pieces. */
		if (!heap->words[index])
			step += (span->end - span->start) / 8 & ~(uint64_t)15;
		uint64_t end = span->end - at < step ? span->end : at + step;
		take_window(heap, index, at, end, turn % BUILDER_SLOTS);
		at = end;
	}
}

static struct graph build(struct heap *heap, uint64_t window_bytes, unsigned nr_threads)
{
	const struct layout *layout = &heap->layout;
	builder_init(&heap->builder);
	for (size_t i = 0; i < layout->spans.nr; i++)
		assert_good(builder_add_span(&heap->builder, layout->spans.items[i].start,
					     layout->spans.items[i].end,
					     layout->spans.items[i].single));
	assert_good(builder_ready(&heap->builder));
	for (size_t i = 0; i < layout->spans.nr; i++)
		stream_span(heap, i, window_bytes);
	assert_good(builder_blocks_done(&heap->builder));
	assert_good(builder_roots(&heap->builder, heap->roots.items, heap->roots.nr, 9,
				  0x1000));
	struct graph graph;
	assert_good(builder_finish(&heap->builder, nr_threads, &graph));
	builder_deinit(&heap->builder);
	return graph;
}

/* --- naively --------------------------------------------------------------------------- */

/* The edge for a word, EDGE_NONE if it leads to no block. */
static uint32_t resolve(const struct heap *heap, uint64_t word)
{
	struct space_hit hit = layout_find(&heap->layout, word);
	if (hit.rank == RANK_NONE)
		return EDGE_NONE;
	const struct looks *looks = &heap->looks[hit.rank];
	bool promoted = (hit.distance == 8 && (looks->hints & 1u << HINT_LENGTH_WORD)) ||
			(hit.distance == 24 && (looks->hints & 1u << HINT_STDSTRING)) ||
			(hit.distance && (hit.distance == looks->subobjects[0] ||
					  hit.distance == looks->subobjects[1]));
	return edge_make(hit.rank, hit.distance == 0 ? EDGE_START
				   : promoted        ? EDGE_PROMOTED
						     : EDGE_INTERIOR);
}

static const struct layout_span *span_of(const struct heap *heap, size_t chunk,
					 const uint64_t **words)
{
	for (size_t i = 0; i < heap->layout.spans.nr; i++) {
		const struct layout_span *span = &heap->layout.spans.items[i];
		*words = heap->words[i];
		if (chunk >= span->first && chunk < span->first + span->nr)
			return span;
	}
	abort();
}

static void check_edges(const struct heap *heap, const struct graph *graph, size_t chunk)
{
	const struct layout_chunk *block = &heap->layout.chunks.items[chunk];
	const uint64_t *words = NULL;
	const struct layout_span *span = span_of(heap, chunk, &words);
	uint64_t nr = 0, at = 0;
	const uint32_t *edges = graph_edges(graph, block->rank, &nr);
	uint64_t first = (block->chunk.address - span->start) / 8;
	for (uint64_t i = 0; words && i < block->chunk.size / 8; i++) {
		uint32_t edge = resolve(heap, words[first + i]);
		if (edge == EDGE_NONE)
			continue;
		while (at < nr && edges[at] == EDGE_NONE)
			at++;
		if (at == nr || edges[at] != edge)
			fail_msg("block %u: word %lu is not its edge", block->rank,
				 (unsigned long)i);
		at++;
	}
	for (; at < nr; at++)
		assert_int_equal(edges[at], EDGE_NONE);
}

/* Whether this root is among those found; each block has one at most for each class. */
static void expect_root(const struct heap *heap, const struct graph *graph, uint64_t word,
			uint8_t (*seen)[3])
{
	uint32_t edge = resolve(heap, word);
	if (edge == EDGE_NONE)
		return;
	uint8_t *times = &seen[edge_rank(edge)][edge_class(edge)];
	if (*times)
		return;
	for (size_t i = 0; i < graph->roots.nr; i++)
		*times += graph->roots.items[i].edge == edge;
	assert_int_equal(*times, 1);
}

static void check_roots(const struct heap *heap, const struct graph *graph)
{
	uint8_t(*seen)[3] = calloc(heap->layout.nr_blocks + 1, sizeof(*seen));
	assert_non_null(seen);
	for (size_t i = 0; i < heap->roots.nr; i++)
		expect_root(heap, graph, heap->roots.items[i], seen);
	for (size_t i = 0; i < heap->layout.chunks.nr; i++) {
		const struct builder_chunk *chunk = &heap->layout.chunks.items[i].chunk;
		const uint64_t *words = NULL;
		const struct layout_span *span = span_of(heap, i, &words);
		uint64_t first = (chunk->address - span->start) / 8;
		for (uint64_t k = 0;
		     words && chunk->kind == BUILDER_UNKNOWN && k < chunk->size / 8; k++)
			expect_root(heap, graph, words[first + k], seen);
	}
	/* And there are no others; each says where it is. */
	size_t nr = 0;
	for (uint32_t i = 0; i < heap->layout.nr_blocks; i++)
		nr += (size_t)seen[i][0] + seen[i][1] + seen[i][2];
	assert_int_equal(graph->roots.nr, nr);
	for (size_t i = 0; i < nr; i++) {
		const struct graph_root *root = &graph->roots.items[i];
		if (root->source == 9)
			assert_int_equal(
				resolve(heap,
					heap->roots.items[(root->where - 0x1000) / 8]),
				root->edge);
		else
			assert_int_equal(root->source, 7);
	}
	free(seen);
}

/* Pointers to starts of blocks in free chunks: they hold nothing, but are told. */
static void check_stale(const struct heap *heap, const struct graph *graph)
{
	size_t at = 0;
	for (size_t i = 0; i < heap->layout.chunks.nr; i++) {
		const struct builder_chunk *chunk = &heap->layout.chunks.items[i].chunk;
		const uint64_t *words = NULL;
		const struct layout_span *span = span_of(heap, i, &words);
		uint64_t first = (chunk->address - span->start) / 8;
		for (uint64_t k = 0;
		     words && chunk->kind == BUILDER_GAP && k < chunk->size / 8; k++) {
			uint32_t edge = resolve(heap, words[first + k]);
			if (edge == EDGE_NONE || edge_class(edge) != EDGE_START)
				continue;
			/* Headers of chunks, which have random words here, may be among them. */
			uint64_t where = chunk->address + k * 8;
			while (at < graph->stale.nr &&
			       graph->stale.items[at].where < where)
				at++;
			assert_true(at < graph->stale.nr);
			assert_int_equal(graph->stale.items[at].where, where);
			assert_int_equal(graph->stale.items[at].edge, edge);
		}
	}
}

static void check_graph(const struct heap *heap, const struct graph *graph)
{
	assert_int_equal(graph->nr_blocks, heap->layout.nr_blocks);
	for (size_t i = 0; i < heap->layout.chunks.nr; i++)
		if (heap->layout.chunks.items[i].rank != RANK_NONE)
			check_edges(heap, graph, i);
	check_roots(heap, graph);
	check_stale(heap, graph);
}

/* --- tests ----------------------------------------------------------------------------- */

static void check_heaps(unsigned nr_heaps, unsigned flags)
{
	for (unsigned number = 0; number < nr_heaps; number++) {
		struct heap heap = draw_heap(number, flags);
		struct graph graph = build(&heap, 0, 1 + number % 3);
		check_graph(&heap, &graph);
		graph_deinit(&graph);
		end_heap(&heap);
	}
}

static void words_become_edges_and_roots(void **state)
{
	(void)state;
	check_heaps(40, LAYOUT_UNKNOWN);
}

static void offsets_may_need_more_than_32_bits(void **state)
{
	(void)state;
	check_heaps(20, LAYOUT_HUGE);
}

/* One heap, the same graph however it is cut. */
static void windows_may_have_any_size(void **state)
{
	(void)state;
	struct heap heap = draw_heap(3, LAYOUT_UNKNOWN);
	for (uint64_t window = 16; window < 2000; window += window < 256 ? 16 : 144) {
		struct graph graph = build(&heap, window, 1);
		check_graph(&heap, &graph);
		graph_deinit(&graph);
	}
	end_heap(&heap);
}

/* A block of n pointers and its neighbours, around the number from which degrees are kept
   apart. */
static void blocks_may_have_many_edges(void **state)
{
	(void)state;
	enum { NR = 40 };
	for (uint64_t nr_edges = 250; nr_edges < 260; nr_edges++) {
		struct builder builder;
		builder_init(&builder);
		uint64_t step = (nr_edges + 1) / 2 * 16 + 16, start = 0x10000;
		uint64_t end = start + NR * step + 32;
		uint64_t *words = calloc((end - start) / 8, sizeof(*words));
		struct builder_chunk chunks[NR + 1] = { 0 };
		assert_non_null(words);
		for (uint64_t i = 0; i <= NR; i++) {
			chunks[i] = (struct builder_chunk){
				.address = start + 16 + i * step,
				.size = step - 8,
				.kind = i < NR ? BUILDER_BLOCK : BUILDER_GAP,
			};
			uint64_t nr = i == NR ? 0 : i % 3 ? i : nr_edges;
			for (uint64_t k = 0; k < nr; k++)
				words[2 + i * step / 8 + k] =
					start + 16 + (i + k) % NR * step;
		}
		assert_good(builder_add_span(&builder, start, end, false));
		assert_good(builder_ready(&builder));
		assert_good(builder_scan(&builder, 0, words, (end - start) / 8));
		const struct builder_window window = {
			.address = start,
			.nr_words = (end - start) / 8,
			.chunks = chunks,
			.nr_chunks = NR + 1,
		};
		assert_good(builder_window(&builder, &window));
		assert_good(builder_blocks_done(&builder));
		struct graph graph;
		assert_good(builder_finish(&builder, 1, &graph));
		for (uint32_t i = 0; i < NR; i++) {
			uint64_t nr = 0;
			const uint32_t *edges = graph_edges(&graph, i, &nr);
			assert_int_equal(nr, i % 3 ? i : nr_edges);
			for (uint32_t k = 0; k < nr; k++)
				assert_int_equal(edges[k],
						 edge_make((i + k) % NR, EDGE_START));
		}
		graph_deinit(&graph);
		builder_deinit(&builder);
		free(words);
	}
}

/* Of what malloc has in hand only starts of blocks count. */
static void start_roots_are_no_interior_pointers(void **state)
{
	(void)state;
	struct builder builder;
	builder_init(&builder);
	const struct builder_chunk chunks[] = {
		{ .address = 0x10010, .size = 40, .kind = BUILDER_BLOCK },
		{ .address = 0x10040, .size = 40, .kind = BUILDER_BLOCK },
		{ .address = 0x10070, .kind = BUILDER_GAP },
	};
	const struct builder_window window = {
		.address = 0x10000,
		.nr_words = 0x80 / 8,
		.chunks = chunks,
		.nr_chunks = 3,
	};
	assert_good(builder_add_span(&builder, 0x10000, 0x10080, false));
	assert_good(builder_ready(&builder));
	assert_good(builder_scan(&builder, 0, NULL, window.nr_words));
	assert_good(builder_window(&builder, &window));
	assert_good(builder_blocks_done(&builder));
	assert_good(builder_start_root(&builder, 0x10018, 1));
	assert_good(builder_start_root(&builder, 0x10070, 1));
	assert_good(builder_start_root(&builder, 0x20000, 1));
	assert_good(builder_start_root(&builder, 0x10040, 1));
	struct graph graph;
	assert_good(builder_finish(&builder, 1, &graph));
	assert_int_equal(graph.roots.nr, 1);
	assert_int_equal(graph.roots.items[0].edge, edge_make(1, EDGE_START));
	graph_deinit(&graph);
	builder_deinit(&builder);
}

static void no_heap_is_an_empty_graph(void **state)
{
	(void)state;
	static const uint64_t words[] = { 0, 1, 0x10000, UINT64_MAX };
	struct builder builder;
	builder_init(&builder);
	assert_good(builder_ready(&builder));
	assert_good(builder_blocks_done(&builder));
	assert_good(builder_roots(&builder, words, 4, 1, 0));
	struct graph graph;
	assert_good(builder_finish(&builder, 4, &graph));
	assert_int_equal(graph.nr_blocks, 0);
	assert_int_equal(graph.roots.nr, 0);
	graph_deinit(&graph);
	builder_deinit(&builder);
}

/* More than offsets can tell apart: refused, for wrong edges would be invented leaks. */
static void heaps_past_all_bounds_are_refused(void **state)
{
	(void)state;
	struct builder builder;
	builder_init(&builder);
	assert_good(builder_add_span(&builder, 0x10000, 0x20000, false));
	assert_good(builder_add_span(&builder, 0x7e0000000000, 0x7fff00000000, true));
	struct error *error = builder_ready(&builder);
	assert_non_null(error);
	assert_int_equal(error->code, ERROR_REFUSED);
	error_destroy(error);
	builder_deinit(&builder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(words_become_edges_and_roots),
		cmocka_unit_test(offsets_may_need_more_than_32_bits),
		cmocka_unit_test(windows_may_have_any_size),
		cmocka_unit_test(blocks_may_have_many_edges),
		cmocka_unit_test(start_roots_are_no_interior_pointers),
		cmocka_unit_test(no_heap_is_an_empty_graph),
		cmocka_unit_test(heaps_past_all_bounds_are_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
