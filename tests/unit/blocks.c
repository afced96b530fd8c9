/* Tests of src/record/blocks, requests, deaths and mappings: the tables of the ledger. */
#include "record/blocks.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "record/deaths.h"
#include "record/mappings.h"
#include "record/requests.h"

enum { ADDRESSES = 5000, STEPS = 400000 };

/* Few addresses, so that each comes and goes often; close ones, so that they collide. */
static uint64_t address_of(unsigned i)
{
	return 0x7f0000000010 + 16 * (uint64_t)i * (i % 3 ? 1 : 4096);
}

static void what_is_added_is_found_until_it_is_removed(void **state)
{
	struct blocks blocks = { 0 };
	uint32_t *numbers = calloc(ADDRESSES, sizeof(*numbers));
	size_t nr = 0;
	(void)state;
	assert_null(blocks_find(&blocks, 0x1000));
	srand(1);
	for (unsigned step = 0; step < STEPS; step++) {
		unsigned i = (unsigned)rand() % ADDRESSES;
		struct block_entry *entry = blocks_find(&blocks, address_of(i));
		assert_true(!!entry == !!numbers[i]);
		if (entry) {
			assert_int_equal(entry->birth.request, numbers[i]);
			blocks_remove(&blocks, entry);
			numbers[i] = 0;
			nr--;
		} else {
			entry = blocks_find_or_place(&blocks, address_of(i));
			assert_non_null(entry);
			assert_int_equal(entry->key, 0);
			numbers[i] = step + 1;
			const struct block_entry added = {
				.key = address_of(i) | (step % 2 ? BLOCK_EARLY : 0),
				.birth.request = numbers[i],
			};
			blocks_fill(&blocks, entry, added);
			nr++;
		}
		assert_int_equal(blocks.nr, nr);
	}
	for (unsigned i = 0; i < ADDRESSES; i++)
		assert_true(!!blocks_find(&blocks, address_of(i)) == !!numbers[i]);
	blocks_deinit(&blocks);
	free(numbers);
}

static void equal_requests_have_one_number(void **state)
{
	struct requests requests = { 0 };
	(void)state;
	for (unsigned pass = 0; pass < 2; pass++)
		for (uint32_t i = 0; i < 10000; i++)
			assert_int_equal(requests_number(&requests, i % 100, i / 100), i);
	assert_int_equal(requests.nr, 10000);
	assert_int_equal(requests_at(&requests, 1234)->size, 34);
	assert_int_equal(requests_at(&requests, 1234)->node, 12);
	requests_deinit(&requests);
}

static void equal_deaths_have_one_number(void **state)
{
	struct deaths deaths = { 0 };
	(void)state;
	for (unsigned pass = 0; pass < 2; pass++)
		for (uint32_t i = 0; i < 10000; i++)
			assert_int_equal(
				deaths_number(&deaths,
					      &(struct death){ .request = i % 10,
							       .flags = i / 10 % 10,
							       .thread = i / 100 }),
				i);
	deaths_deinit(&deaths);
}

static void mappings_are_cut_where_they_are_unmapped(void **state)
{
	struct mapping_vec mappings = { 0 };
	uint64_t gone;
	(void)state;
	assert_true(mappings_add(&mappings, 0x10000, 0x4000, &gone));
	assert_int_equal(gone, 0);
	assert_true(mappings_add(&mappings, 0x20000, 0x1000, &gone));
	assert_true(mappings_remove(&mappings, 0x11000, 0x1000, &gone));
	assert_int_equal(gone, 0x1000);
	assert_int_equal(mappings.nr, 3);
	assert_true(mappings_remove(&mappings, 0x11000, 0x1000, &gone));
	assert_int_equal(gone, 0);
	/* Over the end of one, a gap, and the start of another. */
	assert_true(mappings_add(&mappings, 0x13000, 0xd800, &gone));
	assert_int_equal(gone, 0x1000 + 0x800);
	assert_true(mappings_remove(&mappings, 0, UINT64_C(1) << 56, &gone));
	assert_int_equal(gone, 0x1000 + 0x1000 + 0xd800 + 0x800);
	assert_int_equal(mappings.nr, 0);
	mapping_vec_deinit(&mappings);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_added_is_found_until_it_is_removed),
		cmocka_unit_test(equal_requests_have_one_number),
		cmocka_unit_test(equal_deaths_have_one_number),
		cmocka_unit_test(mappings_are_cut_where_they_are_unmapped),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
