/* why_pins: live blocks on pages that are mostly free, each counted once. */
#include "analyse/why_pins.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define PAGE 4096u

static struct resident all_of(uint64_t end)
{
	struct resident resident = { 0 };
	const struct page_run run = { .end = end, .flags = PAGE_IS_PRESENT };
	assert_true(page_run_vec_push(&resident.runs, run));
	return resident;
}

/* A block with so many bytes, alone on its pages, at `start`. */
static struct pin_row pin_one(uint64_t start, uint64_t end)
{
	struct resident resident = all_of(16 * PAGE);
	struct why_pins pins = { 0 };
	assert_null(why_pins_add_free(&pins, &resident, PAGE, start));
	assert_null(why_pins_add_block(&pins, &resident, 0, start, end));
	assert_null(why_pins_add_free(&pins, &resident, end, 12 * PAGE));
	assert_null(why_pins_finish(&pins, &resident));
	struct pin_row row = pins.rows.items[0];
	why_pins_deinit(&pins);
	resident_deinit(&resident);
	return row;
}

static void a_small_one(void **state)
{
	(void)state;
	struct pin_row row = pin_one(2 * PAGE + 100, 2 * PAGE + 200);
	assert_int_equal(row.blocks, 1);
	assert_int_equal(row.pages, 1);
	assert_int_equal(row.bytes, 100);
}

/* It begins on one page that is mostly free and ends on another. */
static void one_across_two_pages(void **state)
{
	(void)state;
	struct pin_row row = pin_one(3 * PAGE - 64, 3 * PAGE + 64);
	assert_int_equal(row.blocks, 1);
	assert_int_equal(row.pages, 2);
	assert_int_equal(row.bytes, 128);
}

static void one_with_pages_of_its_own_between(void **state)
{
	(void)state;
	struct pin_row row = pin_one(3 * PAGE - 64, 7 * PAGE + 64);
	assert_int_equal(row.blocks, 1);
	assert_int_equal(row.pages, 2);
	assert_int_equal(row.bytes, 128);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_small_one),
		cmocka_unit_test(one_across_two_pages),
		cmocka_unit_test(one_with_pages_of_its_own_between),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
