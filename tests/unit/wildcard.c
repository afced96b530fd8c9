/* Tests of base/wildcard: what matches, and how long it may take. */
#include "base/wildcard.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "base/vec.h"

static const struct {
	const char *pattern, *text;
	bool matches;
} cases[] = {
	{ "", "", true },
	{ "", "a", false },
	{ "a", "", false },
	{ "*", "", true },
	{ "*", "anything", true },
	{ "**", "", true },
	{ "?", "", false },
	{ "?", "a", true },
	{ "?", "ab", false },
	{ "abc", "abc", true },
	{ "abc", "abcd", false },
	{ "abc", "ab", false },
	{ "a*c", "ac", true },
	{ "a*c", "abbbc", true },
	{ "a*c", "abbbcd", false },
	{ "*c", "abcabc", true },
	{ "a*b*c", "aXbXbXc", true },
	{ "*ab*ba*", "aba", false },
	{ "*ab*ba*", "abba", true },
	{ "a?c*", "abcdef", true },
	{ "class Session*", "class Session<int>", true },
	{ "class Session*", "class SessioN", false },
	{ "int[3]", "int[3]", true },
	{ "int[3]", "int3", false },
	{ "a\\*", "a\\b", true },
	{ "*\xc3\xa4*", "M\xc3\xa4rz", true },
};

static void matches_whole_names(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		if (wildcard_matches(cases[i].pattern, cases[i].text) != cases[i].matches)
			fail_msg("\"%s\" and \"%s\"", cases[i].pattern, cases[i].text);
}

static double seconds_now(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* A matcher that tries every star again would not be done in this universe. */
static void hostile_patterns_take_no_time(void **state)
{
	(void)state;
	static char pattern[2100], text[200001];
	for (size_t i = 0; i < 1000; i++)
		memcpy(pattern + 2 * i, "*a", 2);
	strcpy(pattern + 2000, "b");
	memset(text, 'a', sizeof(text) - 1);
	double begin = seconds_now();
	assert_false(wildcard_matches(pattern, text));
	memset(pattern, 'a', 1000);
	strcpy(pattern + 1000, "b");
	pattern[0] = '*';
	assert_false(wildcard_matches(pattern, text));
	assert_true(seconds_now() - begin < 20);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(matches_whole_names),
		cmocka_unit_test(hostile_patterns_take_no_time),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
