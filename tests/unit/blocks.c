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
			assert_int_equal(entry->number, numbers[i]);
			blocks_remove(&blocks, entry);
			numbers[i] = 0;
			nr--;
		} else {
			entry = blocks_find_or_place(&blocks, address_of(i));
			assert_non_null(entry);
			assert_int_equal(entry->key, 0);
			numbers[i] = step + 1;
			const struct birth birth = { .request = numbers[i] };
			if (step % 2)
				blocks_fill_early(&blocks, entry, address_of(i),
						  numbers[i]);
			else
				assert_true(blocks_fill(&blocks, entry, address_of(i),
							&birth));
			nr++;
		}
		assert_int_equal(blocks.nr, nr);
	}
	for (unsigned i = 0; i < ADDRESSES; i++)
		assert_true(!!blocks_find(&blocks, address_of(i)) == !!numbers[i]);
	blocks_deinit(&blocks);
	free(numbers);
}

static void add(struct blocks *blocks, uint64_t address, const struct birth *birth)
{
	struct block_entry *place = blocks_find_or_place(blocks, address);
	assert_non_null(place);
	assert_true(blocks_fill(blocks, place, address, birth));
}

/* Of more threads and marks than have numbers. */
static void births_are_known_whoever_they_are_of(void **state)
{
	struct blocks blocks = { 0 };
	(void)state;
	for (uint32_t pass = 0; pass < 2; pass++)
		for (uint32_t i = 0; i < ADDRESSES; i++) {
			struct block_entry *entry = blocks_find(&blocks, address_of(i));
			if (entry)
				blocks_remove(&blocks, entry);
			const struct birth birth = {
				.us = 5000000 + i,
				.marks = i % 2,
				.request = i,
				.thread = i + pass,
			};
			add(&blocks, address_of(i), &birth);
		}
	for (uint32_t i = 0; i < ADDRESSES; i++) {
		const struct birth birth = blocks_birth(
			&blocks, blocks_find(&blocks, address_of(i)), 6000000);
		assert_int_equal(birth.us, 5000000 + i);
		assert_int_equal(birth.marks, i % 2);
		assert_int_equal(birth.request, i);
		assert_int_equal(birth.thread, i + 1);
	}
	blocks_deinit(&blocks);
}

/* Over hours, whose microseconds do not fit into the table. */
static void ages_are_true_up_to_the_last_limit(void **state)
{
	enum { LIMIT_US = 1000000000 };
	const uint64_t step_us = BLOCKS_AGE_US / 3;
	struct blocks blocks = { 0 };
	uint64_t now = 123, aged = 0;
	(void)state;
	for (uint32_t i = 0; i < 40; i++) {
		const struct birth birth = { .us = now };
		add(&blocks, address_of(i), &birth);
		uint64_t later = now + (i == 30 ? 5 * BLOCKS_AGE_US : step_us);
		if (later - aged >= BLOCKS_AGE_US) {
			blocks_age(&blocks, now, later);
			aged = later;
		}
		now = later;
		for (uint32_t j = 0; j <= i; j++) {
			uint64_t came = 123 + j * step_us +
					(j > 30 ? 5 * BLOCKS_AGE_US - step_us : 0);
			uint64_t age = now - came;
			const struct birth found = blocks_birth(
				&blocks, blocks_find(&blocks, address_of(j)), now);
			if (age < LIMIT_US)
				assert_int_equal(now - found.us, age);
			else
				assert_in_range(now - found.us, LIMIT_US, age);
		}
	}
	blocks_deinit(&blocks);
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
		cmocka_unit_test(births_are_known_whoever_they_are_of),
		cmocka_unit_test(ages_are_true_up_to_the_last_limit),
		cmocka_unit_test(equal_requests_have_one_number),
		cmocka_unit_test(equal_deaths_have_one_number),
		cmocka_unit_test(mappings_are_cut_where_they_are_unmapped),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
