/*
 * cmocka: as much of it as tests of the unwinder use, for a processor that the library is not there
 * for. Assertions end the program; what it prints is what failed.
 */
#ifndef SEEP_TESTS_AARCH64_CMOCKA_H
#define SEEP_TESTS_AARCH64_CMOCKA_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct CMUnitTest {
	const char *name;
	void (*run)(void **state);
	int (*set_up)(void **state);
	int (*tear_down)(void **state);
};

#define cmocka_unit_test(function)                                                       \
	{                                                                                \
#function, function, NULL, NULL                                          \
	}
#define cmocka_unit_test_setup_teardown(function, set_up, tear_down)                     \
	{                                                                                \
#function, function, set_up, tear_down                                   \
	}

static inline int run_test(const struct CMUnitTest *test)
{
	void *state = NULL;
	printf("%s\n", test->name);
	fflush(stdout);
	if (test->set_up && test->set_up(&state) != 0)
		return 1;
	test->run(&state);
	return test->tear_down && test->tear_down(&state) != 0;
}

static inline int run_tests(const struct CMUnitTest *tests, size_t nr,
			    int (*set_up)(void **state), int (*tear_down)(void **state))
{
	void *state = NULL;
	int nr_failed = set_up && set_up(&state) != 0;
	for (size_t i = 0; !nr_failed && i < nr; i++)
		nr_failed += run_test(&tests[i]);
	return nr_failed + (tear_down && tear_down(&state) != 0);
}

#define cmocka_run_group_tests(tests, set_up, tear_down)                                 \
	run_tests(tests, sizeof(tests) / sizeof((tests)[0]), set_up, tear_down)

static inline void assert_that(int is_true, const char *what, const char *file, int line)
{
	if (is_true)
		return;
	fprintf(stderr, "%s:%d: %s\n", file, line, what);
	abort();
}

#define ASSERT(condition, what) assert_that(condition, what, __FILE__, __LINE__)

#define assert_true(value)       ASSERT(!!(value), #value)
#define assert_false(value)      ASSERT(!(value), "not " #value)
#define assert_null(pointer)     ASSERT((pointer) == NULL, #pointer " is NULL")
#define assert_non_null(pointer) ASSERT((pointer) != NULL, #pointer " is not NULL")
#define assert_int_equal(a, b)   ASSERT((uint64_t)(a) == (uint64_t)(b), #a " is " #b)
#define assert_int_not_equal(a, b)                                                       \
	ASSERT((uint64_t)(a) != (uint64_t)(b), #a " is not " #b)
#define assert_in_range(value, low, high)                                                \
	ASSERT((uint64_t)(value) >= (uint64_t)(low) &&                                   \
		       (uint64_t)(value) <= (uint64_t)(high),                            \
	       #value " is in the range")
#define assert_memory_equal(a, b, size) ASSERT(memcmp(a, b, size) == 0, #a " has " #b)

#endif
