/* Tests of analyse/nature: what blocks are taken for by their first bytes. */
#include "analyse/nature.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define HEAP_START 0x555500000000u
#define HEAP_END   0x555500100000u
#define RODATA     0x7f0000002000u
#define RELRO      0x7f0000004000u
#define PAGE       0x1000u

static void add_region(struct target *target, uint64_t address, unsigned flags,
		       const char *name, uint64_t offset)
{
	static const char nothing[1];
	struct error *error = target_fake_add(target, address, nothing, 1, flags, name);
	assert_null(error);
	target->regions.items[target->regions.nr - 1].offset = offset;
}

/* A library as the loader maps it, and a file of data. */
static struct target *make_target(void)
{
	struct target *target = NULL;
	struct error *error = target_fake_create(&target);
	assert_null(error);
	const char *library = "/lib/libshapes.so";
	add_region(target, HEAP_START, REGION_READ | REGION_WRITE, "[heap]", 0);
	add_region(target, RODATA - 2 * PAGE, REGION_READ, library, 0);
	add_region(target, RODATA - PAGE, REGION_READ | REGION_EXEC, library, PAGE);
	add_region(target, RODATA, REGION_READ, library, 2 * PAGE);
	add_region(target, RELRO, REGION_READ, library, 3 * PAGE);
	add_region(target, RELRO + PAGE, REGION_READ | REGION_WRITE, library, 4 * PAGE);
	add_region(target, RELRO + 16 * PAGE, REGION_READ, "/usr/share/data", 0);
	error = target_find_modules(target);
	assert_null(error);
	return target;
}

struct fixture {
	struct target *target;
	struct natures *natures;
};

static struct fixture begin(void)
{
	struct fixture fixture = { .target = make_target() };
	struct error *error = natures_create(fixture.target, &fixture.natures);
	assert_null(error);
	natures_set_heap(fixture.natures, HEAP_START, HEAP_END);
	return fixture;
}

static void end(struct fixture *fixture)
{
	natures_destroy(fixture->natures);
	target_destroy(fixture->target);
}

static void assert_nature(const uint64_t *words, size_t nr, enum nature nature)
{
	struct fixture fixture = begin();
	assert_int_equal(natures_classify(fixture.natures, words, nr), nature);
	end(&fixture);
}

static void assert_text(const char *text, enum nature nature)
{
	uint64_t words[4] = { 0 };
	memcpy(words, text, strnlen(text, sizeof(words)));
	assert_nature(words, 4, nature);
}

static void tells_zeros(void **state)
{
	(void)state;
	static const uint64_t zeros[4];
	static const uint64_t later[] = { 0, 0, 0, 0, 1 };
	assert_nature(zeros, 1, NATURE_ZERO);
	assert_nature(zeros, 4, NATURE_ZERO);
	/* Only the start of a block is looked at. */
	assert_nature(later, 5, NATURE_ZERO);
}

static void nothing_to_see_is_data(void **state)
{
	(void)state;
	assert_nature(NULL, 0, NATURE_DATA);
}

static void tells_pointers(void **state)
{
	(void)state;
	static const uint64_t first[] = { HEAP_START, 7, 7, 7 };
	static const uint64_t last[] = { 7, 7, 7, HEAP_END - 1 };
	static const uint64_t none[] = { HEAP_END, HEAP_START - 1, 7, 7 };
	static const uint64_t far[] = { 7, 7, 7, 7, HEAP_START };
	assert_nature(first, 4, NATURE_POINTERS);
	assert_nature(last, 4, NATURE_POINTERS);
	assert_nature(none, 4, NATURE_DATA);
	assert_nature(far, 5, NATURE_DATA);
}

static void tells_text(void **state)
{
	(void)state;
	assert_text("hello", NATURE_TEXT);
	assert_text("a line\n\tand more", NATURE_TEXT);
	assert_text("longer than what is looked at of a block", NATURE_TEXT);
	assert_text("\xc3\xa4\xc3\xb6\xc3\xbc", NATURE_TEXT);
	assert_text("abc", NATURE_DATA);
	assert_text("abc\x01 and", NATURE_DATA);
	assert_text("\x7f"
		    "ELF",
		    NATURE_DATA);
}

static void tells_objects_by_read_only_data_of_modules(void **state)
{
	(void)state;
	struct fixture fixture = begin();
	struct natures *natures = fixture.natures;
	static const uint64_t first[] = { RELRO + 16, 0 }, second[] = { RODATA + 32, 0 };
	static const uint64_t others[] = {
		RODATA + 4,         /* misaligned */
		RODATA - PAGE + 16, /* code */
		RODATA + PAGE + 16, /* between regions */
		RELRO + PAGE + 16,  /* writable */
		RELRO + 16 * PAGE,  /* of a file without code */
	};
	uint16_t code = natures_classify(natures, first, 2);
	assert_int_equal(code, NATURE_OBJECT);
	assert_int_equal(natures_classify(natures, second, 2), NATURE_OBJECT + 1);
	assert_int_equal(natures_classify(natures, first, 2), code);
	for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
		uint64_t words[] = { others[i], 0 };
		assert_int_equal(natures_classify(natures, words, 2), NATURE_DATA);
		assert_false(natures_may_be_vtable(natures, others[i]));
	}
	assert_true(natures_may_be_vtable(natures, RODATA));
	assert_int_equal(natures->addresses.nr, 2);
	end(&fixture);
}

/* Past so many distinct ones they are just pointers; those known before stay known. */
static void objects_are_counted(void **state)
{
	(void)state;
	struct fixture fixture = begin();
	uint64_t start = 0x7e0000000000;
	struct nature_range range = { start, start + 8 * 70000 };
	fixture.natures->read_only.nr = 0;
	assert_true(nature_range_vec_push(&fixture.natures->read_only, range));
	fixture.natures->modules_start = range.start;
	fixture.natures->modules_end = range.end;
	unsigned most = UINT16_MAX - NATURE_OBJECT;
	for (unsigned pass = 0; pass < 2; pass++)
		for (uint64_t i = 0; i < 70000; i++) {
			uint64_t word = start + 8 * i;
			assert_int_equal(natures_classify(fixture.natures, &word, 1),
					 i < most ? NATURE_OBJECT + i : NATURE_POINTERS);
		}
	end(&fixture);
}

static void codes_are_kept_by_rank(void **state)
{
	(void)state;
	struct fixture fixture = begin();
	struct error *error = natures_reserve(fixture.natures, 100000);
	assert_null(error);
	for (uint32_t i = 0; i < 100000; i++)
		natures_set(fixture.natures, i, (uint16_t)(i % 4));
	for (uint32_t i = 0; i < 100000; i++)
		assert_int_equal(natures_get(fixture.natures, i), i % 4);
	end(&fixture);
}

static void has_a_word_for_each(void **state)
{
	(void)state;
	struct fixture fixture = begin();
	assert_string_equal(natures_word(fixture.natures, NATURE_DATA), "data");
	assert_string_equal(natures_word(fixture.natures, NATURE_ZERO), "zeros");
	assert_string_equal(natures_word(fixture.natures, NATURE_TEXT), "text");
	assert_string_equal(natures_word(fixture.natures, NATURE_POINTERS), "pointers");
	assert_string_equal(natures_word(fixture.natures, NATURE_OBJECT + 5), "pointers");
	assert_null(natures_class(fixture.natures, NATURE_OBJECT));
	end(&fixture);
}

/* The fake target's modules have no files, so that nothing has a class. */
static void what_has_no_class_has_no_name(void **state)
{
	(void)state;
	struct fixture fixture = begin();
	struct symbols *symbols = NULL;
	struct error *error = symbols_create(fixture.target, &symbols);
	assert_null(error);
	uint64_t word = RODATA + 64;
	uint16_t code = natures_classify(fixture.natures, &word, 1);
	error = natures_name(fixture.natures, symbols);
	assert_null(error);
	assert_null(natures_class(fixture.natures, code));
	assert_string_equal(natures_word(fixture.natures, code), "pointers");
	symbols_destroy(symbols);
	end(&fixture);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tells_zeros),
		cmocka_unit_test(nothing_to_see_is_data),
		cmocka_unit_test(tells_pointers),
		cmocka_unit_test(tells_text),
		cmocka_unit_test(tells_objects_by_read_only_data_of_modules),
		cmocka_unit_test(objects_are_counted),
		cmocka_unit_test(codes_are_kept_by_rank),
		cmocka_unit_test(has_a_word_for_each),
		cmocka_unit_test(what_has_no_class_has_no_name),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
