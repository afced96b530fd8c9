/* Tests of record/clock, and of what the ledger makes of clocks that are not equally fast. */
#include "record/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <time.h>

#include <cmocka.h>

#include "record/ledger.h"

#define A 0x10000u

static uint64_t now_ns(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* As the clock has it, whoever interrupts us: what was counted in a time that is measured too. */
static void ticks_of_a_time(void **state)
{
	struct record_clock clock;
	(void)state;
	uint64_t first_ns = now_ns(), first = event_now();
	record_clock_start(&clock);
	assert_int_equal(record_clock_ticks(&clock, 1000), 0);
	const struct timespec a_while = { .tv_nsec = 100000000 };
	nanosleep(&a_while, NULL);
	record_clock_read(&clock);
	uint64_t passed = event_now() - first, passed_ns = now_ns() - first_ns;
	uint64_t expected = passed / (passed_ns / 1000000);
	assert_in_range(record_clock_ticks(&clock, 1000000), expected * 9 / 10,
			expected * 11 / 10);
}

static void enter(struct ledger *ledger, enum event_type type, uint32_t thread,
		  uint64_t time)
{
	const struct record record = {
		.type = type,
		.address = A,
		.size = 10,
		.thread = thread,
		.time = time,
	};
	ledger_enter(ledger, &record, NULL);
}

/* How many blocks live when one is allocated so many ticks after another thread's free of that
   address, of which only the allocation can tell whose block it was. */
static uint64_t live_after(uint64_t ticks_per_ms, uint64_t ticks)
{
	const struct record_clock clock = { .ticks_per_ms = ticks_per_ms };
	struct ledger ledger = { .clock = &clock };
	enter(&ledger, EVENT_THREAD, 0, 1000);
	enter(&ledger, EVENT_THREAD, 1, 1000);
	enter(&ledger, EVENT_FREE, 1, 2000);
	enter(&ledger, EVENT_ALLOCATION, 0, 2000 + ticks);
	ledger_finish(&ledger);
	assert_false(ledger.no_memory);
	uint64_t nr_live = ledger.totals.live_blocks;
	ledger_deinit(&ledger);
	return nr_live;
}

/* Half a microsecond is no time between two processors; two are. */
static void stamps_are_off_by_a_length_of_time(void **state)
{
	static const uint64_t ticks_per_ms[] = { 25000, 62500, 1000000, 2600000,
						 5000000 };
	(void)state;
	for (size_t i = 0; i < sizeof(ticks_per_ms) / sizeof(ticks_per_ms[0]); i++) {
		uint64_t per_us = ticks_per_ms[i] / 1000;
		assert_int_equal(live_after(ticks_per_ms[i], per_us / 2), 0);
		assert_int_equal(live_after(ticks_per_ms[i], per_us * 2), 1);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ticks_of_a_time),
		cmocka_unit_test(stamps_are_off_by_a_length_of_time),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
