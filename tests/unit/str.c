/* Tests of base/str: growth, formatting, hand-over, and the failure that sticks. */
#include "base/str.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void zeroed_is_empty(void **state)
{
	(void)state;
	struct str str = { 0 };
	assert_string_equal(str_text(&str), "");
	str_deinit(&str);
}

static void appends_in_order(void **state)
{
	(void)state;
	struct str str = { 0 };
	str_puts(&str, "block ");
	str_append(&str, "0x10 and more", 4);
	str_printf(&str, ", %d byte%s", 3, "s");
	assert_string_equal(str_text(&str), "block 0x10, 3 bytes");
	assert_int_equal(str.length, strlen("block 0x10, 3 bytes"));
	str_deinit(&str);
	assert_null(str.text);
}

static void keeps_text_while_growing(void **state)
{
	(void)state;
	struct str str = { 0 };
	for (int i = 0; i < 1000; i++)
		str_printf(&str, "%03d", i);
	assert_int_equal(str.length, 3000);
	assert_memory_equal(str.text, "000001002", 9);
	assert_string_equal(str.text + 2994, "998999");
	str_deinit(&str);
}

static void take_hands_over(void **state)
{
	(void)state;
	struct str str = { 0 };
	str_puts(&str, "mine");
	char *text = str_take(&str);
	assert_string_equal(text, "mine");
	assert_null(str.text);
	free(text);
}

static void take_of_empty_is_a_string(void **state)
{
	(void)state;
	struct str str = { 0 };
	char *text = str_take(&str);
	assert_string_equal(text, "");
	free(text);
}

static void over_the_ceiling_fails_for_good(void **state)
{
	(void)state;
	struct str str = { 0 };
	str_puts(&str, "kept");
	str_append(&str, "", SIZE_MAX / 2);
	assert_true(str.failed);
	str_puts(&str, " not added");
	assert_string_equal(str_text(&str), "kept");
	assert_null(str_take(&str));
	assert_false(str.failed);
}

static void appending_nothing_needs_no_text(void **state)
{
	(void)state;
	struct str str = { 0 };
	str_append(&str, NULL, 0);
	assert_string_equal(str_text(&str), "");
	assert_false(str.failed);
	str_deinit(&str);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(appending_nothing_needs_no_text),
		cmocka_unit_test(zeroed_is_empty),
		cmocka_unit_test(appends_in_order),
		cmocka_unit_test(keeps_text_while_growing),
		cmocka_unit_test(take_hands_over),
		cmocka_unit_test(take_of_empty_is_a_string),
		cmocka_unit_test(over_the_ceiling_fails_for_good),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
