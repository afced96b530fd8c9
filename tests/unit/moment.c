/* Tests of cmd/moment: times with and without units, and names of marks. */
#include "cmd/moment.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/vec.h"

static void times_have_units(void **state)
{
	static const struct {
		const char *text;
		uint64_t us;
	} times[] = {
		{ "0", 0 },
		{ "12.5", 12500000 },
		{ "12.5s", 12500000 },
		{ "300ms", 300000 },
		{ "80us", 80 },
		{ "0.3", 300000 },
		{ "2min", 120000000 },
		{ "2m", 120000000 },
		{ "1h", 3600000000 },
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(times); i++) {
		struct seep_report_moment moment;
		moment_parse(times[i].text, &moment);
		assert_null(moment.mark);
		assert_int_equal(moment.time_us, times[i].us);
	}
}

static void all_else_is_a_mark(void **state)
{
	static const char *const marks[] = { "warm", "12.5 apples", "s",
					     "-1",   "1e300",       "nan" };
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(marks); i++) {
		struct seep_report_moment moment;
		moment_parse(marks[i], &moment);
		assert_string_equal(moment.mark, marks[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(times_have_units),
		cmocka_unit_test(all_else_is_a_mark),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
