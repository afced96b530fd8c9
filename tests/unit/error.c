/* Tests of base/error: sentences, remedies, and the error that needs no memory. */
#include "base/error.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void sentence_is_formatted(void **state)
{
	(void)state;
	struct error *error =
		error_create(ERROR_READ, "cannot read %s at 0x%x", "maps", 16);
	assert_int_equal(error->code, ERROR_READ);
	assert_string_equal(error->sentence, "cannot read maps at 0x10");
	assert_null(error->remedy);
	error_destroy(error);
}

static void remedy_is_added(void **state)
{
	(void)state;
	struct error *error = error_remedy(error_create(ERROR_REFUSED, "no rights"),
					   "run it as uid %d", 1000);
	assert_string_equal(error->sentence, "no rights");
	assert_string_equal(error->remedy, "run it as uid 1000");
	error_destroy(error);
}

static void later_remedy_replaces(void **state)
{
	(void)state;
	struct error *error = error_create(ERROR_USAGE, "bad option");
	error = error_remedy(error, "first");
	error = error_remedy(error, "second");
	assert_string_equal(error->remedy, "second");
	error_destroy(error);
}

static void no_memory_is_static(void **state)
{
	(void)state;
	struct error *error = error_no_memory();
	assert_int_equal(error->code, ERROR_MEMORY);
	assert_non_null(error->sentence);
	assert_ptr_equal(error_remedy(error, "close some programs"), error);
	assert_null(error->remedy);
	error_destroy(error);
	assert_string_equal(error_no_memory()->sentence, "out of memory");
}

static void destroy_takes_null(void **state)
{
	(void)state;
	error_destroy(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sentence_is_formatted),
		cmocka_unit_test(remedy_is_added),
		cmocka_unit_test(later_remedy_replaces),
		cmocka_unit_test(no_memory_is_static),
		cmocka_unit_test(destroy_takes_null),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
