/* Tests of target/held: pointers that the kernel keeps, as it tells them and as it does not. */
#include "target/held.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/cleanup.h"

typedef struct error *held_parser(const char *text, size_t size,
				  struct held_word_vec *held);

static struct held_word_vec parse(held_parser *parser, const char *text)
{
	struct held_word_vec held = { 0 };
	struct error *error = parser(text, strlen(text), &held);
	assert_null(error);
	return held;
}

static void assert_none(held_parser *parser, const char *text)
{
	struct held_word_vec held = parse(parser, text);
	if (held.nr)
		fail_msg("took %#lx from: %s", (unsigned long)held.items[0].value, text);
	held_word_vec_deinit(&held);
}

static void reads_epoll_data(void **state)
{
	(void)state;
	struct held_word_vec held = parse(
		held_parse_epoll,
		"pos:\t0\nflags:\t02000002\nmnt_id:\t15\nino:\t1066\n"
		"tfd:        4 events:       19 data:     55d0c0ffee00  pos:0 ino:42a sdev:e\n"
		"tfd:       12 events: 80000001 data: ffffffffffffffff  pos:0 ino:8 sdev:9\n"
		"tfd:        5 events:       19 data:                0\n");
	assert_int_equal(held.nr, 3);
	assert_int_equal(held.items[0].value, 0x55d0c0ffee00);
	assert_int_equal(held.items[1].value, UINT64_MAX);
	assert_int_equal(held.items[2].value, 0);
	assert_string_equal(held.items[0].keeper, "epoll");
	held_word_vec_deinit(&held);
}

static void reads_timers(void **state)
{
	(void)state;
	struct held_word_vec held = parse(held_parse_timers,
					  "ID: 0\nsignal: 34/00005581deadbee0\n"
					  "notify: thread/tid.4711\nClockID: 1\n"
					  "ID: 1\nsignal: 14/0000000000000007\n"
					  "notify: signal/pid.4711\nClockID: 0\n");
	assert_int_equal(held.nr, 2);
	assert_int_equal(held.items[0].value, 0x5581deadbee0);
	assert_int_equal(held.items[1].value, 7);
	assert_string_equal(held.items[0].keeper, "timer");
	held_word_vec_deinit(&held);
}

static void other_lines_hold_nothing(void **state)
{
	(void)state;
	static const char *const epoll[] = {
		"",
		"\n\n\n",
		"tfd:",
		"tfd: 4 events: 19\n",
		"tfd: 4 events: 19 data:\n",
		"tfd: 4 events: 19 data:     \n",
		"tfd: 4 events: 19 data: -1\n",
		"tfd: 4 events: 19 data: 0x10\n",
		"tfd: 4 events: 19 data: +10\n",
		"tfd: 4 events: 19 data: xyz\n",
		"tfd: 4 events: 19 data: 10g\n",
		"tfd: 4 events: 19 data: 10000000000000000\n",
		"tfd: 4 events: 19 data:\n55d0c0ffee00\n",
		" tfd: 4 events: 19 data: 10\n",
		"data: 10\n",
		"signal: 14/10\n",
	};
	static const char *const timers[] = {
		"",
		"signal:",
		"signal: 14\n",
		"signal: 14/\n",
		"signal: 14/-1\n",
		"notify: signal/123\n",
		"tfd: 4 events: 19 data: 10\n",
	};
	for (size_t i = 0; i < ARRAY_SIZE(epoll); i++)
		assert_none(held_parse_epoll, epoll[i]);
	for (size_t i = 0; i < ARRAY_SIZE(timers); i++)
		assert_none(held_parse_timers, timers[i]);
}

static void a_bad_line_spoils_no_other(void **state)
{
	(void)state;
	struct held_word_vec held = parse(held_parse_epoll, "tfd: 1 events: 1 data: zz\n"
							    "tfd: 2 events: 1 data: 20\n"
							    "tfd: 3 events: 1 dat");
	assert_int_equal(held.nr, 1);
	assert_int_equal(held.items[0].value, 0x20);
	held_word_vec_deinit(&held);
}

/* The text need not end in NUL, and may end anywhere. */
static void stays_within_its_size(void **state)
{
	(void)state;
	static const char text[] = "tfd: 4 events: 19 data: 55d0c0ffee00";
	for (size_t size = 0; size < sizeof(text); size++) {
		CLEANUP_FREE char *copy = malloc(size ? size : 1);
		assert_non_null(copy);
		memcpy(copy, text, size);
		struct held_word_vec held = { 0 };
		error_destroy(held_parse_epoll(copy, size, &held));
		held_word_vec_deinit(&held);
	}
}

static bool holds(const struct held_word_vec *held, uint64_t value)
{
	for (size_t i = 0; i < held->nr; i++)
		if (held->items[i].value == value)
			return true;
	return false;
}

/* What this kernel says of this process. */
static void collects_our_own(void **state)
{
	(void)state;
	CLEANUP_CLOSE int epoll = epoll_create1(EPOLL_CLOEXEC);
	int ends[2];
	assert_int_equal(pipe(ends), 0);
	struct epoll_event event = { .events = EPOLLIN, .data.u64 = 0x1234567890abcdef };
	assert_int_equal(epoll_ctl(epoll, EPOLL_CTL_ADD, ends[0], &event), 0);
	struct sigevent notice = {
		.sigev_notify = SIGEV_SIGNAL,
		.sigev_signo = SIGALRM,
		.sigev_value.sival_ptr = (void *)0x5eed5eed5eed,
	};
	timer_t timer;
	bool has_timer = timer_create(CLOCK_MONOTONIC, &notice, &timer) == 0;

	struct held_word_vec held = { 0 };
	bool incomplete = false;
	struct error *error = held_collect(getpid(), &held, &incomplete);
	assert_null(error);
	assert_true(holds(&held, event.data.u64));
	/* Kernels without CONFIG_CHECKPOINT_RESTORE tell nothing of timers. */
	if (has_timer && access("/proc/self/timers", R_OK) == 0)
		assert_true(holds(&held, 0x5eed5eed5eed));
	held_word_vec_deinit(&held);
	if (has_timer)
		timer_delete(timer);
	close(ends[0]);
	close(ends[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_epoll_data),
		cmocka_unit_test(reads_timers),
		cmocka_unit_test(other_lines_hold_nothing),
		cmocka_unit_test(a_bad_line_spoils_no_other),
		cmocka_unit_test(stays_within_its_size),
		cmocka_unit_test(collects_our_own),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
