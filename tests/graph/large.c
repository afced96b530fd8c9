/*
 * large: graphs of millions of blocks, as deep as they get: no recursion, and time that grows
 * with the graph and no faster.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

#include "base/bitmap.h"
#include "base/hash.h"
#include "graph/lost.h"
#include "graph/plan.h"
#include "graph/reach.h"

#define LARGE 2000000u
#define SMALL (LARGE / 16)
/* Eight times what linear time takes: what a loaded machine may add. */
#define SLACK 8

/* No padding: they are compared as bytes. */
struct counts {
	uint64_t reached, lost, roots;
	uint64_t members, blocks, bytes; /* of the first lost root */
};

static uint64_t now_ns(void)
{
	struct timespec now;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static void add_blocks(struct plan *plan, uint32_t nr)
{
	for (uint32_t i = 0; i < nr; i++)
		plan_block(plan, (struct plan_block){ .size = 24 });
}

/* Each holds the next; from the last to the first in memory. */
static void plan_list(struct plan *plan, uint32_t nr)
{
	add_blocks(plan, nr);
	for (uint32_t i = nr - 1; i > 0; i--)
		plan_edge(plan, i, i - 1, 0);
}

static void plan_held_list(struct plan *plan, uint32_t nr)
{
	plan_list(plan, nr);
	plan_edge(plan, PLAN_ROOT, nr - 1, 0);
}

static void plan_ring(struct plan *plan, uint32_t nr)
{
	plan_list(plan, nr);
	plan_edge(plan, 0, nr - 1, 8);
}

/* Every block with both neighbours: the deepest path is as long, with ways back. */
static void plan_double_list(struct plan *plan, uint32_t nr)
{
	add_blocks(plan, nr);
	for (uint32_t i = 0; i + 1 < nr; i++) {
		plan_edge(plan, i, i + 1, 0);
		plan_edge(plan, i + 1, i, 0);
	}
}

/* One block holds all. */
static void plan_fan(struct plan *plan, uint32_t nr)
{
	plan_block(plan, (struct plan_block){ .size = (uint64_t)nr / 2 * 16 + 8 });
	add_blocks(plan, nr - 1);
	for (uint32_t i = 1; i < nr; i++)
		plan_edge(plan, 0, i, 0);
}

/* Three pointers in each block, anywhere; a root into the first. */
static void plan_tangle(struct plan *plan, uint32_t nr)
{
	add_blocks(plan, nr);
	for (uint32_t i = 0; i < nr; i++)
		for (uint32_t k = 0; k < 3; k++)
			plan_edge(plan, i, (uint32_t)(hash_mix(i * 3 + k) % nr),
				  8 * (k & 1));
	plan_edge(plan, PLAN_ROOT, 0, 0);
}

/* Nothing holds anything. */
static void plan_dust(struct plan *plan, uint32_t nr)
{
	add_blocks(plan, nr);
}

static struct counts analyse(const struct graph *graph, unsigned nr_threads)
{
	struct reach reach;
	struct error *error = reach_mark(graph, true, nr_threads, &reach);
	assert_null(error);
	struct lost lost;
	error = lost_find(graph, reach.any.memory, &lost);
	assert_null(error);
	struct area owners = { 0 };
	error = reach_attribute(graph, &owners);
	assert_null(error);
	struct counts counts = { .lost = lost.nr, .roots = lost.roots.nr };
	for (uint32_t i = 0; i < graph->nr_blocks; i++)
		counts.reached += bitmap_test(reach.any.memory, i);
	if (lost.roots.nr) {
		counts.members = lost.roots.items[0].members;
		counts.blocks = lost.roots.items[0].blocks;
		counts.bytes = lost.roots.items[0].bytes;
	}
	area_release(&owners);
	lost_deinit(&lost);
	reach_deinit(&reach);
	return counts;
}

/* The same counts with any number of threads; gives the time for one. */
static struct counts analyse_planned(void (*planner)(struct plan *, uint32_t),
				     uint32_t nr, uint64_t *cpu_ns)
{
	struct plan plan = { .nr_threads = 2 };
	struct graph graph;
	planner(&plan, nr);
	plan_build(&plan, &graph);
	uint64_t start_ns = now_ns();
	struct counts counts = analyse(&graph, 1);
	*cpu_ns = now_ns() - start_ns;
	struct counts again = analyse(&graph, 3);
	assert_memory_equal(&again, &counts, sizeof(counts));
	graph_deinit(&graph);
	plan_deinit(&plan);
	return counts;
}

static struct counts check_linear(void (*planner)(struct plan *, uint32_t))
{
	uint64_t small_ns = 0, large_ns = 0;
	analyse_planned(planner, SMALL, &small_ns);
	struct counts counts = analyse_planned(planner, LARGE, &large_ns);
	print_message("%u blocks: %lu ms, %u: %lu ms\n", SMALL,
		      (unsigned long)(small_ns / 1000000), LARGE,
		      (unsigned long)(large_ns / 1000000));
	/* Two milliseconds more, for what does not depend on the number. */
	assert_true(large_ns < SLACK * (LARGE / SMALL) * (small_ns + 2000000));
	return counts;
}

static void a_list_hangs_on_its_head(void **state)
{
	(void)state;
	struct counts counts = check_linear(plan_list);
	assert_int_equal(counts.lost, LARGE);
	assert_int_equal(counts.roots, 1);
	assert_int_equal(counts.members, 1);
	assert_int_equal(counts.blocks, LARGE);
	assert_int_equal(counts.bytes, (uint64_t)LARGE * 24);
}

static void a_list_is_reached_to_its_end(void **state)
{
	(void)state;
	struct counts counts = check_linear(plan_held_list);
	assert_int_equal(counts.reached, LARGE);
	assert_int_equal(counts.lost, 0);
}

static void a_ring_is_one_leak(void **state)
{
	(void)state;
	struct counts counts = check_linear(plan_ring);
	assert_int_equal(counts.roots, 1);
	assert_int_equal(counts.members, LARGE);
	assert_int_equal(counts.blocks, LARGE);
}

static void a_doubly_linked_list_is_one_leak(void **state)
{
	(void)state;
	struct counts counts = check_linear(plan_double_list);
	assert_int_equal(counts.roots, 1);
	assert_int_equal(counts.members, LARGE);
}

static void a_block_may_hold_all_others(void **state)
{
	(void)state;
	struct counts counts = check_linear(plan_fan);
	assert_int_equal(counts.roots, 1);
	assert_int_equal(counts.members, 1);
	assert_int_equal(counts.blocks, LARGE);
}

static void a_tangle_is_reached_but_for_the_unheld(void **state)
{
	(void)state;
	struct counts counts = check_linear(plan_tangle);
	assert_int_equal(counts.reached + counts.lost, LARGE);
	/* Of blocks with three pointers each, e^-3 have none to them, and some hang there. */
	assert_in_range(counts.lost, LARGE / 25, LARGE / 10);
	assert_in_range(counts.roots, LARGE / 30, counts.lost);
}

static void dust_is_all_leaks(void **state)
{
	(void)state;
	struct counts counts = check_linear(plan_dust);
	assert_int_equal(counts.roots, LARGE);
	assert_int_equal(counts.blocks, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_list_hangs_on_its_head),
		cmocka_unit_test(a_list_is_reached_to_its_end),
		cmocka_unit_test(a_ring_is_one_leak),
		cmocka_unit_test(a_doubly_linked_list_is_one_leak),
		cmocka_unit_test(a_block_may_hold_all_others),
		cmocka_unit_test(a_tangle_is_reached_but_for_the_unheld),
		cmocka_unit_test(dust_is_all_leaks),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
