/* Tests of graph/space: every address leads to the block that holds it, in any layout. */
#include "graph/space.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "unit/layout.h"

static struct space make_space(const struct layout *layout)
{
	struct space space = { 0 };
	for (size_t i = 0; i < layout->spans.nr; i++) {
		const struct layout_span *span = &layout->spans.items[i];
		struct error *error =
			space_add_span(&space, span->start, span->end, span->single);
		assert_null(error);
	}
	struct error *error = space_ready(&space);
	assert_null(error);
	for (size_t i = 0; i < layout->chunks.nr; i++)
		space_chunk(&space, layout->chunks.items[i].chunk.address,
			    layout->chunks.items[i].rank != RANK_NONE);
	space_finish(&space);
	assert_int_equal(space.nr_blocks, layout->nr_blocks);
	return space;
}

static bool in_span(const struct layout *layout, uint64_t address)
{
	for (size_t i = 0; i < layout->spans.nr; i++)
		if (address >= layout->spans.items[i].start &&
		    address < layout->spans.items[i].end)
			return true;
	return false;
}

static void check_address(const struct layout *layout, const struct space *space,
			  uint64_t address)
{
	uint64_t offset = space_offset(space, address);
	assert_int_equal(offset != SPACE_NONE, in_span(layout, address));
	if (offset == SPACE_NONE)
		return;
	assert_true(offset < space->size);
	struct space_hit expected = layout_find(layout, address);
	struct space_hit hit = space_find(space, offset);
	if (hit.rank != expected.rank ||
	    (hit.rank != RANK_NONE && hit.distance != expected.distance))
		fail_msg("0x%lx: block %u + %lu, not %u + %lu", (unsigned long)address,
			 hit.rank, (unsigned long)hit.distance, expected.rank,
			 (unsigned long)expected.distance);
}

/* The first block at the address or after it, by going through them all. */
static void check_search(const struct layout *layout, const struct space *space,
			 uint64_t address)
{
	uint32_t at = RANK_NONE, from = (uint32_t)layout->nr_blocks;
	for (size_t i = layout->chunks.nr; i > 0; i--) {
		const struct layout_chunk *chunk = &layout->chunks.items[i - 1];
		if (chunk->rank == RANK_NONE || chunk->chunk.address < address)
			continue;
		from = chunk->rank;
		at = chunk->chunk.address == address ? chunk->rank : RANK_NONE;
	}
	assert_int_equal(space_at(space, address), at);
	assert_int_equal(space_from(space, address), from);
}

struct visit {
	const struct layout *layout;
	size_t at;
};

static void take_block(void *context, uint32_t rank, uint64_t address, uint64_t size)
{
	struct visit *visit = context;
	while (visit->layout->chunks.items[visit->at].rank == RANK_NONE)
		visit->at++;
	const struct layout_chunk *chunk = &visit->layout->chunks.items[visit->at++];
	assert_int_equal(rank, chunk->rank);
	assert_int_equal(address, chunk->chunk.address);
	assert_int_equal(size, chunk->chunk.size);
}

static void check_blocks(const struct layout *layout, const struct space *space)
{
	struct visit visit = { .layout = layout };
	space_each(space, take_block, &visit);
	for (; visit.at < layout->chunks.nr; visit.at++)
		assert_int_equal(layout->chunks.items[visit.at].rank, RANK_NONE);
	for (size_t i = 0; i < layout->chunks.nr; i++) {
		const struct layout_chunk *chunk = &layout->chunks.items[i];
		if (chunk->rank == RANK_NONE)
			continue;
		uint64_t address = 0, size = 0;
		space_block(space, chunk->rank, &address, &size);
		assert_int_equal(address, chunk->chunk.address);
		assert_int_equal(size, chunk->chunk.size);
	}
}

/* Any run of blocks reads as the blocks one by one. */
static void check_reading(const struct layout *layout, const struct space *space)
{
	enum { RUN = 7 };
	for (uint32_t first = 0; first < layout->nr_blocks + 2; first += 3) {
		struct space_place places[RUN];
		size_t left = first < layout->nr_blocks ? layout->nr_blocks - first : 0;
		size_t nr = space_read(space, first, places, RUN);
		assert_int_equal(nr, left < RUN ? left : RUN);
		for (size_t i = 0; i < nr; i++) {
			uint64_t address = 0, size = 0;
			space_block(space, first + (uint32_t)i, &address, &size);
			assert_int_equal(places[i].address, address);
			assert_int_equal(places[i].size, size);
			assert_int_equal(space_at(space, address), first + i);
		}
	}
}

static void check_layouts(unsigned nr_layouts, unsigned flags)
{
	for (unsigned number = 0; number < nr_layouts; number++) {
		struct layout layout = layout_draw(number, flags);
		struct space space = make_space(&layout);
		check_blocks(&layout, &space);
		check_reading(&layout, &space);
		for (unsigned i = 0; i < 300; i++)
			check_address(&layout, &space, layout_address(&layout));
		for (unsigned i = 0; i < 30; i++)
			check_search(&layout, &space, layout_address(&layout));
		space_deinit(&space);
		layout_deinit(&layout);
	}
}

static void finds_blocks_in_any_layout(void **state)
{
	(void)state;
	check_layouts(1000, LAYOUT_UNKNOWN);
}

static void finds_blocks_among_gigabytes(void **state)
{
	(void)state;
	check_layouts(40, LAYOUT_HUGE);
}

/* Every byte of a small heap, and of what surrounds it. */
static void every_byte_belongs_to_its_block(void **state)
{
	(void)state;
	for (unsigned number = 0; number < 20; number++) {
		struct layout layout = layout_draw(1000 + number, 0);
		struct space space = make_space(&layout);
		for (size_t i = 0; i < layout.spans.nr; i++) {
			uint64_t start = layout.spans.items[i].start - 20;
			uint64_t end = layout.spans.items[i].end + 20;
			for (uint64_t at = start; at < end && at < start + 3000; at++)
				check_address(&layout, &space, at);
		}
		space_deinit(&space);
		layout_deinit(&layout);
	}
}

static void an_empty_space_holds_nothing(void **state)
{
	(void)state;
	struct layout layout = { 0 };
	struct space space = make_space(&layout);
	assert_int_equal(space_offset(&space, 0), SPACE_NONE);
	assert_int_equal(space_offset(&space, UINT64_MAX), SPACE_NONE);
	assert_int_equal(space_find(&space, 0).rank, RANK_NONE);
	space_each(&space, take_block, NULL);
	space_deinit(&space);
}

static void spans_without_chunks_hold_nothing(void **state)
{
	(void)state;
	struct space space = { 0 };
	struct error *error = space_add_span(&space, 0x10000, 0x11000, false);
	assert_null(error);
	error = space_add_span(&space, 0x11000, 0x12000, true);
	assert_null(error);
	error = space_ready(&space);
	assert_null(error);
	space_finish(&space);
	for (uint64_t at = 0x10000; at < 0x12000; at += 8)
		assert_int_equal(space_find(&space, space_offset(&space, at)).rank,
				 RANK_NONE);
	space_deinit(&space);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_blocks_in_any_layout),
		cmocka_unit_test(finds_blocks_among_gigabytes),
		cmocka_unit_test(every_byte_belongs_to_its_block),
		cmocka_unit_test(an_empty_space_holds_nothing),
		cmocka_unit_test(spans_without_chunks_hold_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
