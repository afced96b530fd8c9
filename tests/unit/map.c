/* Tests of base/map: values stay with their keys while it grows. */
#include "base/map.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void new_keys_are_zero(void **state)
{
	(void)state;
	struct map map = { 0 };
	uint64_t *value = map_at(&map, 7);
	assert_non_null(value);
	assert_int_equal(*value, 0);
	*value = 3;
	assert_int_equal(*map_at(&map, 7), 3);
	assert_int_equal(*map_at(&map, 0), 0);
	assert_int_equal(map.nr, 2);
	map_deinit(&map);
	assert_null(map.slots);
}

static void finding_adds_nothing(void **state)
{
	(void)state;
	struct map map = { 0 };
	assert_null(map_find(&map, 7));
	*map_at(&map, 7) = 3;
	assert_int_equal(*map_find(&map, 7), 3);
	assert_null(map_find(&map, 8));
	assert_int_equal(map.nr, 1);
	map_deinit(&map);
}

static void keeps_values_while_growing(void **state)
{
	(void)state;
	struct map map = { 0 };
	for (uint64_t key = 0; key < 100000; key++)
		*map_at(&map, key << 40) = key + 1;
	assert_int_equal(map.nr, 100000);
	for (uint64_t key = 0; key < 100000; key++)
		assert_int_equal(*map_at(&map, key << 40), key + 1);
	assert_int_equal(map.nr, 100000);
	map_deinit(&map);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(new_keys_are_zero),
		cmocka_unit_test(finding_adds_nothing),
		cmocka_unit_test(keeps_values_while_growing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
