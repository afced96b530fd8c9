/* Tests of base/bitmap. */
#include "base/bitmap.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void sizes_round_up(void **state)
{
	(void)state;
	assert_int_equal(bitmap_words(0), 0);
	assert_int_equal(bitmap_words(1), 1);
	assert_int_equal(bitmap_words(64), 1);
	assert_int_equal(bitmap_words(65), 2);
}

static void a_bit_set_is_that_bit_alone(void **state)
{
	(void)state;
	for (size_t bit = 0; bit < 192; bit++) {
		uint64_t words[3] = { 0 };
		bitmap_set(words, bit);
		for (size_t other = 0; other < 192; other++)
			assert_int_equal(bitmap_test(words, other), other == bit);
		bitmap_set(words, bit);
		assert_true(bitmap_test(words, bit));
	}
}

static void a_claim_succeeds_once(void **state)
{
	(void)state;
	uint64_t words[2] = { 0 };
	assert_true(bitmap_claim(words, 63));
	assert_true(bitmap_claim(words, 64));
	assert_false(bitmap_claim(words, 63));
	assert_false(bitmap_claim(words, 64));
	assert_true(bitmap_test(words, 63));
	assert_false(bitmap_test(words, 62));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sizes_round_up),
		cmocka_unit_test(a_bit_set_is_that_bit_alone),
		cmocka_unit_test(a_claim_succeeds_once),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
