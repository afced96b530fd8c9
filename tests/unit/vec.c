/* Tests of base/vec: growth, order, and what happens when memory runs out. */
#include "base/vec.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

DEFINE_VEC(number_vec, uint64_t);

static void zeroed_is_empty(void **state)
{
	(void)state;
	struct number_vec vec = { 0 };
	assert_int_equal(vec.nr, 0);
	number_vec_deinit(&vec);
}

static void keeps_order_while_growing(void **state)
{
	(void)state;
	struct number_vec vec = { 0 };
	for (uint64_t i = 0; i < 1000; i++)
		assert_true(number_vec_push(&vec, i * i));
	assert_int_equal(vec.nr, 1000);
	assert_in_range(vec.capacity, 1000, 2000);
	for (uint64_t i = 0; i < vec.nr; i++)
		assert_int_equal(vec.items[i], i * i);
	number_vec_deinit(&vec);
}

static void deinit_empties(void **state)
{
	(void)state;
	struct number_vec vec = { 0 };
	assert_true(number_vec_push(&vec, 1));
	number_vec_deinit(&vec);
	assert_null(vec.items);
	assert_int_equal(vec.nr, 0);
	assert_true(number_vec_push(&vec, 2));
	assert_int_equal(vec.items[0], 2);
	number_vec_deinit(&vec);
}

/* A full vec whose doubled size overflows a size_t: the push says so and changes nothing. */
static void failed_growth_changes_nothing(void **state)
{
	(void)state;
	volatile size_t full = SIZE_MAX / 4;
	struct number_vec vec = { 0 };
	assert_true(number_vec_push(&vec, 7));
	uint64_t *items = vec.items;
	vec.nr = vec.capacity = full;
	assert_false(number_vec_push(&vec, 8));
	assert_ptr_equal(vec.items, items);
	assert_int_equal(vec.nr, full);
	assert_int_equal(vec.items[0], 7);
	number_vec_deinit(&vec);
}

static void array_size_counts_elements(void **state)
{
	(void)state;
	const uint16_t numbers[] = { 1, 2, 3 };
	assert_int_equal(ARRAY_SIZE(numbers), 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(zeroed_is_empty),
		cmocka_unit_test(keeps_order_while_growing),
		cmocka_unit_test(deinit_empties),
		cmocka_unit_test(failed_growth_changes_nothing),
		cmocka_unit_test(array_size_counts_elements),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
