/* radix: numbers sorted by some of their bits. */
#include "base/radix.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define NR 5000u

static uint64_t next(uint64_t *state)
{
	*state = *state * 6364136223846793005u + 1442695040888963407u;
	return *state;
}

static void fill(uint64_t *numbers, uint64_t mask)
{
	uint64_t state = 7;
	for (size_t i = 0; i < NR; i++)
		numbers[i] = next(&state) & mask;
}

static void check(uint64_t mask)
{
	static uint64_t numbers[NR];
	uint64_t sum = 0, sorted_sum = 0;
	fill(numbers, mask);
	for (size_t i = 0; i < NR; i++)
		sum += numbers[i];
	assert_true(radix_sort(numbers, NR, 0));
	for (size_t i = 0; i < NR; i++) {
		sorted_sum += numbers[i];
		assert_true(!i || numbers[i - 1] <= numbers[i]);
	}
	assert_int_equal(sum, sorted_sum);
}

static void any_numbers(void **state)
{
	(void)state;
	check(UINT64_MAX);
	check(0xff);
	check(0xff00000000000000);
	check(0);
}

/* Numbers whose higher halves agree keep the order in which they came. */
static void equal_ones_stay(void **state)
{
	(void)state;
	static uint64_t numbers[NR];
	fill(numbers, (uint64_t)0xf << 32);
	for (size_t i = 0; i < NR; i++)
		numbers[i] |= NR - i;
	assert_true(radix_sort(numbers, NR, 32));
	for (size_t i = 1; i < NR; i++) {
		assert_true(numbers[i - 1] >> 32 <= numbers[i] >> 32);
		if (numbers[i - 1] >> 32 == numbers[i] >> 32)
			assert_true(numbers[i - 1] > numbers[i]);
	}
}

static void few(void **state)
{
	(void)state;
	uint64_t two[] = { 2, 1 };
	assert_true(radix_sort(NULL, 0, 0));
	assert_true(radix_sort(two, 1, 0));
	assert_int_equal(two[0], 2);
	assert_true(radix_sort(two, 2, 0));
	assert_int_equal(two[0], 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(any_numbers),
		cmocka_unit_test(equal_ones_stay),
		cmocka_unit_test(few),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
