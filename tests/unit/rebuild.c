/* Tests of graph/rebuild: blocks and edges come back as they were given, or are refused. */
#include "graph/rebuild.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

struct block {
	uint64_t address, size;
};

/* Small ones side by side, apart, and far apart; large ones among them; odd addresses. */
static const struct block blocks[] = {
	{ 0x10010, 24 },        { 0x10030, 24 },        { 0x10050, 40 },
	{ 0x10100, 8 },         { 0x20000, 1000000 },   { 0x1f0000, 24 },
	{ 0x1f0020, 33000 },    { 0x200000, 24 },       { 0x210001, 3 },
	{ 0x210010, 24 },       { 0x7f0000000010, 24 }, { 0x7f0000000030, 16 },
	{ 0x7f0000000040, 24 },
};
#define NR ARRAY_SIZE(blocks)

static struct error *announce_all(struct rebuild *rebuild)
{
	struct error *error = NULL;
	bool fits = true;
	for (size_t i = 0; !error && i < NR; i++) {
		error = rebuild_announce(rebuild, blocks[i].address, blocks[i].size,
					 &fits);
		assert_true(fits);
	}
	return error ? error : rebuild_ready(rebuild);
}

/* Block i has i edges, to the blocks from 0 on; the last one many. */
static size_t degree_of(size_t i)
{
	return i + 1 == NR ? 1000 : i;
}

static void add_edges(struct rebuild *rebuild, size_t i)
{
	for (size_t k = 0; k < degree_of(i); k++) {
		uint32_t edge = edge_make((uint32_t)(k % NR), EDGE_INTERIOR);
		assert_null(rebuild_edges(rebuild, &edge, 1));
	}
}

static void add_all(struct rebuild *rebuild)
{
	bool fits = true;
	for (size_t i = 0; i < NR; i++) {
		assert_null(
			rebuild_block(rebuild, blocks[i].address, blocks[i].size, &fits));
		assert_true(fits);
		add_edges(rebuild, i);
	}
}

static void check_block(void *context, uint32_t rank, uint64_t address, uint64_t size)
{
	++*(size_t *)context;
	assert_true(rank < NR);
	assert_int_equal(address, blocks[rank].address);
	assert_int_equal(size, blocks[rank].size);
}

static void all_comes_back(void **state)
{
	(void)state;
	struct rebuild rebuild;
	struct graph graph;
	uint64_t nr_dangling = 0;
	size_t nr_seen = 0;
	rebuild_init(&rebuild);
	assert_null(announce_all(&rebuild));
	add_all(&rebuild);
	assert_null(rebuild_finish(&rebuild, &graph, &nr_dangling));
	assert_int_equal(nr_dangling, 0);
	assert_int_equal(graph.nr_blocks, NR);
	space_each(&graph.space, check_block, &nr_seen);
	assert_int_equal(nr_seen, NR);
	for (size_t i = 0; i < NR; i++) {
		uint64_t address = 0, size = 0, nr = 0;
		space_block(&graph.space, (uint32_t)i, &address, &size);
		check_block(&nr_seen, (uint32_t)i, address, size);
		const uint32_t *edges = graph_edges(&graph, (uint32_t)i, &nr);
		assert_int_equal(nr, degree_of(i));
		for (size_t k = 0; k < nr; k++)
			assert_int_equal(edges[k],
					 edge_make((uint32_t)(k % NR), EDGE_INTERIOR));
	}
	graph_deinit(&graph);
	rebuild_deinit(&rebuild);
}

/* However far apart, a block costs little: no more than its 64 groups. */
static void far_blocks_cost_little(void **state)
{
	(void)state;
	struct rebuild rebuild;
	bool fits = true;
	rebuild_init(&rebuild);
	for (uint64_t i = 1; i <= 1000; i++) {
		assert_null(rebuild_announce(&rebuild, i << 40, 24, &fits));
		assert_true(fits);
		assert_null(rebuild_announce(&rebuild, (i << 40) + 64, (uint64_t)1 << 38,
					     &fits));
		assert_true(fits);
	}
	assert_null(rebuild_ready(&rebuild));
	assert_true(rebuild.graph.space.nr_groups <= 64 * 2000);
	rebuild_deinit(&rebuild);
}

static void what_overlaps_does_not_fit(void **state)
{
	(void)state;
	static const struct block wrong[] = {
		{ 0x1fff, 16 },         /* before the last one's end */
		{ 0x3000, 0 },          /* empty */
		{ 0x3000, UINT64_MAX }, /* past the end of all addresses */
		{ UINT64_MAX - 1, 2 },  /* up to it */
	};
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		struct rebuild rebuild;
		bool fits = true;
		rebuild_init(&rebuild);
		assert_null(rebuild_announce(&rebuild, 0x1000, 0x1000, &fits));
		assert_true(fits);
		assert_null(rebuild_announce(&rebuild, wrong[i].address, wrong[i].size,
					     &fits));
		assert_false(fits);
		rebuild_deinit(&rebuild);
	}
}

static void only_what_was_announced_fits(void **state)
{
	(void)state;
	static const struct block wrong[] = {
		{ 0x10010, 40 },
		{ 0x10030, 24 },
		{ 0x10000, 24 },
		{ 0x20000, 1000000 },
	};
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		struct rebuild rebuild;
		bool fits = true, first = true;
		rebuild_init(&rebuild);
		assert_null(announce_all(&rebuild));
		assert_null(
			rebuild_block(&rebuild, wrong[i].address, wrong[i].size, &first));
		/* A longer first block can be told only by the next. */
		if (first)
			assert_null(rebuild_block(&rebuild, blocks[1].address,
						  blocks[1].size, &fits));
		assert_false(first && fits);
		rebuild_deinit(&rebuild);
	}
}

static void what_leads_nowhere_is_taken_out(void **state)
{
	(void)state;
	struct rebuild rebuild;
	struct graph graph;
	uint64_t nr_dangling = 0, nr = 0;
	bool fits = true;
	const uint32_t edges[] = { edge_make(0, EDGE_START), edge_make(1, EDGE_START),
				   EDGE_NONE };
	rebuild_init(&rebuild);
	assert_null(rebuild_announce(&rebuild, 0x1000, 24, &fits));
	assert_null(rebuild_ready(&rebuild));
	assert_null(rebuild_block(&rebuild, 0x1000, 24, &fits));
	assert_null(rebuild_edges(&rebuild, edges, 3));
	assert_null(rebuild_root(&rebuild, (struct graph_root){ .edge = edges[1] }));
	assert_null(rebuild_root(&rebuild, (struct graph_root){ .edge = edges[0] }));
	assert_null(rebuild_stale(&rebuild, (struct graph_root){ .edge = edges[1] }));
	assert_null(rebuild_finish(&rebuild, &graph, &nr_dangling));
	assert_int_equal(nr_dangling, 3);
	assert_int_equal(graph.roots.nr, 1);
	assert_int_equal(graph.stale.nr, 0);
	const uint32_t *kept = graph_edges(&graph, 0, &nr);
	assert_int_equal(nr, 3);
	assert_int_equal(kept[0], edges[0]);
	assert_true(kept[1] == EDGE_NONE && kept[2] == EDGE_NONE);
	graph_deinit(&graph);
	rebuild_deinit(&rebuild);
}

static void nothing_is_a_graph_too(void **state)
{
	(void)state;
	struct rebuild rebuild;
	struct graph graph;
	uint64_t nr_dangling = 0;
	rebuild_init(&rebuild);
	assert_null(rebuild_ready(&rebuild));
	assert_null(rebuild_finish(&rebuild, &graph, &nr_dangling));
	assert_int_equal(graph.nr_blocks, 0);
	graph_deinit(&graph);
	rebuild_deinit(&rebuild);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_comes_back),
		cmocka_unit_test(far_blocks_cost_little),
		cmocka_unit_test(what_overlaps_does_not_fit),
		cmocka_unit_test(only_what_was_announced_fits),
		cmocka_unit_test(what_leads_nowhere_is_taken_out),
		cmocka_unit_test(nothing_is_a_graph_too),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
