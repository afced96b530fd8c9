/* Tests of target/own_pages on texts of /proc/PID/smaps. */
#include "target/own_pages.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static size_t found(const char *smaps, struct extent_vec *ranges)
{
	assert_null(own_pages_parse(smaps, ranges));
	return ranges->nr;
}

static void both_flags(void **state)
{
	static const char smaps[] = "7f0000000000-7f0000002000 rw-p 00000000 00:00 0 \n"
				    "Size:                  8 kB\n"
				    "VmFlags: rd wr mr mw me ac dd rr \n"
				    "7f0000002000-7f0000003000 rw-p 00000000 00:00 0 \n"
				    "VmFlags: rd wr mr mw me ac dd \n"
				    "7f0000003000-7f0000004000 rw-p 00000000 00:00 0 \n"
				    "VmFlags: rd wr mr mw me rr ac \n"
				    "7f0000005000-7f0000006000 rw-p 00000000 00:00 0 \n"
				    "VmFlags: rd wr rr mr mw me dd\n";
	struct extent_vec ranges = { 0 };
	(void)state;
	assert_int_equal(found(smaps, &ranges), 2);
	assert_int_equal(ranges.items[0].start, 0x7f0000000000);
	assert_int_equal(ranges.items[0].end, 0x7f0000002000);
	assert_int_equal(ranges.items[1].start, 0x7f0000005000);
	extent_vec_deinit(&ranges);
}

/* Flags count only in their own line. */
static void others(void **state)
{
	static const char smaps[] = "7f0000000000-7f0000002000 rw-p 0 00:00 0 / dd rr\n"
				    "VmFlags: rd wr\n"
				    "x dd rr\n"
				    "VmFlags: add arr\n"
				    "VmFlags: dd";
	struct extent_vec ranges = { 0 };
	(void)state;
	assert_int_equal(found(smaps, &ranges), 0);
	assert_int_equal(found("", &ranges), 0);
	extent_vec_deinit(&ranges);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_flags),
		cmocka_unit_test(others),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
