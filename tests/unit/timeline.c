/* Tests of analyse/timeline: steps that double, quiet times, and sums that are kept. */
#include "traces/timeline.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static struct timeline timeline;

static void count(uint64_t time_us, uint64_t live_bytes)
{
	timeline_advance(&timeline, time_us, timeline.now.peak_bytes);
	timeline.now.allocations++;
	timeline_peak(&timeline, live_bytes);
}

static uint64_t all_allocations(void)
{
	uint64_t sum = 0;
	for (size_t i = 0; i < timeline.nr; i++)
		sum += timeline.points[i].allocations;
	return sum;
}

static void short_runs_have_a_step_a_microsecond(void **state)
{
	(void)state;
	timeline_begin(&timeline, 100);
	count(100, 5);
	count(102, 7);
	timeline_end(&timeline);
	assert_int_equal(timeline.nr, 3);
	assert_int_equal(timeline.width_us, 1);
	assert_int_equal(timeline.points[0].peak_bytes, 5);
	assert_int_equal(timeline.points[1].peak_bytes, 5);
	assert_int_equal(timeline.points[1].allocations, 0);
	assert_int_equal(timeline.points[2].peak_bytes, 7);
}

static void long_runs_have_wider_steps(void **state)
{
	(void)state;
	timeline_begin(&timeline, 0);
	for (uint64_t i = 0; i < 10000; i++)
		count(i * 1000, i == 3333 ? 1000000 : 10);
	timeline_end(&timeline);
	assert_true(timeline.nr <= TIMELINE_POINTS && timeline.nr > TIMELINE_POINTS / 4);
	assert_int_equal(all_allocations(), 10000);
	assert_int_equal(timeline.points[3333000 / timeline.width_us].peak_bytes,
			 1000000);
}

static void a_quiet_age_is_bounded(void **state)
{
	(void)state;
	timeline_begin(&timeline, 0);
	count(0, 1);
	count(UINT64_MAX / 2, 2);
	timeline_end(&timeline);
	assert_true(timeline.nr <= TIMELINE_POINTS);
	assert_int_equal(all_allocations(), 2);
}

static void less_than_nothing_is_nothing(void **state)
{
	(void)state;
	timeline_begin(&timeline, 0);
	count(0, (uint64_t)-5);
	timeline_advance(&timeline, 1, (uint64_t)-5);
	count(1, (uint64_t)-3);
	timeline_advance(&timeline, 2, 4);
	timeline_end(&timeline);
	assert_int_equal(timeline.nr, 3);
	assert_int_equal(timeline.points[0].peak_bytes, 0);
	assert_int_equal(timeline.points[1].peak_bytes, 0);
	assert_int_equal(timeline.points[2].peak_bytes, 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(short_runs_have_a_step_a_microsecond),
		cmocka_unit_test(long_runs_have_wider_steps),
		cmocka_unit_test(a_quiet_age_is_bounded),
		cmocka_unit_test(less_than_nothing_is_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
