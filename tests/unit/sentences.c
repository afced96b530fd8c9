/* Sentences that differ in numbers alone are told once. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/sentences.h"

static void those_alike_are_told_once(void **state)
{
	(void)state;
	static const char *const told[] = {
		"a chunk at 0x55aa makes no sense", "worker (12) uses jemalloc",
		"a chunk at 0x7f00 makes no sense", "worker (7) uses tcmalloc",
		"worker (345) uses jemalloc",       "worker uses jemalloc",
		"a chunk at 0x1 makes no sense",
	};
	struct sentence_vec sentences = { 0 };
	for (size_t i = 0; i < ARRAY_SIZE(told); i++)
		assert_null(sentences_add(&sentences, "%s", told[i]));
	assert_null(sentences_group(&sentences));
	assert_int_equal(sentences.nr, 4);
	assert_string_equal(sentences.items[0], "a chunk at 0x55aa makes no sense (and 2 "
						"more like this)");
	assert_string_equal(sentences.items[1],
			    "worker (12) uses jemalloc (and 1 more like this)");
	assert_string_equal(sentences.items[2], "worker (7) uses tcmalloc");
	assert_string_equal(sentences.items[3], "worker uses jemalloc");
	sentences_deinit(&sentences);
	assert_null(sentences_group(&(struct sentence_vec){ 0 }));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(those_alike_are_told_once),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
