/* Tests of base/area: contents survive growing, new bytes are zero, failures change nothing. */
#include "base/area.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static uint64_t *words_of(struct area *area)
{
	return area->memory;
}

static void zeroed_is_empty(void **state)
{
	(void)state;
	struct area area = { 0 };
	assert_true(area_reserve(&area, 0));
	assert_null(area.memory);
	area_trim(&area, 0);
	area_release(&area);
}

static void new_bytes_are_zero(void **state)
{
	(void)state;
	struct area area = { 0 };
	assert_true(area_reserve(&area, 100000));
	assert_true(area.bytes >= 100000);
	for (size_t i = 0; i < area.bytes / 8; i++)
		assert_int_equal(words_of(&area)[i], 0);
	area_release(&area);
	assert_null(area.memory);
	assert_int_equal(area.bytes, 0);
}

/* In small steps and large ones, past the size from which huge pages are used. */
static void contents_survive_growing(void **state)
{
	(void)state;
	static const size_t steps[] = { 1, 4096, 5000, 1 << 20, 40 << 20 };
	for (size_t s = 0; s < sizeof(steps) / sizeof(steps[0]); s++) {
		struct area area = { 0 };
		size_t nr = 0;
		for (size_t bytes = steps[s]; bytes < (64 << 20);
		     bytes = bytes * 3 + steps[s]) {
			assert_true(area_reserve(&area, bytes));
			assert_true(area.bytes >= bytes);
			for (size_t i = 0; i < nr; i += 97)
				if (words_of(&area)[i] != i + 1)
					fail_msg("word %zu was lost", i);
			size_t before = nr;
			for (nr = bytes / 8; before < nr; before++) {
				if (words_of(&area)[before] != 0)
					fail_msg("word %zu was not zero", before);
				words_of(&area)[before] = before + 1;
			}
		}
		area_release(&area);
	}
}

static void asking_for_less_changes_nothing(void **state)
{
	(void)state;
	struct area area = { 0 };
	assert_true(area_reserve(&area, 1 << 20));
	struct area before = area;
	assert_true(area_reserve(&area, 1));
	assert_ptr_equal(area.memory, before.memory);
	assert_int_equal(area.bytes, before.bytes);
	area_release(&area);
}

static void trimming_keeps_what_is_asked_for(void **state)
{
	(void)state;
	static const size_t sizes[] = { 100 << 10, 30 << 20 };
	static const size_t kept[] = { 1, 5000, 9 << 20 };
	for (size_t s = 0; s < 2; s++) {
		for (size_t k = 0; k < 3; k++) {
			struct area area = { 0 };
			assert_true(area_reserve(&area, sizes[s]));
			size_t nr = sizes[s] / 8;
			for (size_t i = 0; i < nr; i++)
				words_of(&area)[i] = ~i;
			area_trim(&area, kept[k]);
			size_t left = kept[k] < sizes[s] ? kept[k] : sizes[s];
			assert_true(area.bytes >= left);
			for (size_t i = 0; i < left / 8; i++)
				assert_true(words_of(&area)[i] == ~i);
			/* What was given back comes back as zeros. */
			size_t end = area.bytes / 8;
			assert_true(area_reserve(&area, sizes[s] + (1 << 20)));
			for (size_t i = 0; i < left / 8; i++)
				assert_true(words_of(&area)[i] == ~i);
			assert_true(end >= nr || words_of(&area)[end] == 0);
			area_release(&area);
		}
	}
}

static void trimming_to_nothing_releases(void **state)
{
	(void)state;
	struct area area = { 0 };
	assert_true(area_reserve(&area, 1 << 20));
	area_trim(&area, 0);
	assert_null(area.memory);
	assert_int_equal(area.bytes, 0);
	assert_true(area_reserve(&area, 10));
	area_release(&area);
}

static void failure_changes_nothing(void **state)
{
	(void)state;
	static const size_t impossible[] = { SIZE_MAX, SIZE_MAX - 4096, (size_t)1 << 60 };
	struct area area = { 0 };
	assert_true(area_reserve(&area, 8));
	words_of(&area)[0] = 42;
	struct area before = area;
	for (size_t i = 0; i < 3; i++) {
		assert_false(area_reserve(&area, impossible[i]));
		assert_ptr_equal(area.memory, before.memory);
		assert_int_equal(area.bytes, before.bytes);
		assert_int_equal(words_of(&area)[0], 42);
	}
	area_release(&area);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(zeroed_is_empty),
		cmocka_unit_test(new_bytes_are_zero),
		cmocka_unit_test(contents_survive_growing),
		cmocka_unit_test(asking_for_less_changes_nothing),
		cmocka_unit_test(trimming_keeps_what_is_asked_for),
		cmocka_unit_test(trimming_to_nothing_releases),
		cmocka_unit_test(failure_changes_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
