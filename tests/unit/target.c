/* Tests of target/target, on a fake target: reading, regions, modules, extents. */
#include "target/target.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define PAGE 4096u

static void assert_good(struct error *error)
{
	if (error)
		fail_msg("%s", error->sentence);
}

static struct target *fake(void)
{
	struct target *target = NULL;
	assert_good(target_fake_create(&target));
	return target;
}

static void add(struct target *target, uint64_t address, size_t size, unsigned flags,
		const char *name)
{
	unsigned char *bytes = malloc(size);
	assert_non_null(bytes);
	for (size_t i = 0; i < size; i++)
		bytes[i] = (unsigned char)((address + i) / 8);
	assert_good(target_fake_add(target, address, bytes, size, flags, name));
	free(bytes);
}

static void regions_are_in_order(void **state)
{
	(void)state;
	struct target *target = fake();
	add(target, 0x30000, PAGE, REGION_READ, "c");
	add(target, 0x10000, 100, REGION_READ, "a");
	add(target, 0x20000, PAGE + 1, REGION_READ, "b");
	assert_int_equal(target->regions.nr, 3);
	assert_string_equal(target->regions.items[0].name, "a");
	assert_string_equal(target->regions.items[1].name, "b");
	assert_string_equal(target->regions.items[2].name, "c");
	assert_int_equal(target->regions.items[0].end, 0x11000);
	assert_int_equal(target->regions.items[1].end, 0x22000);
	target_destroy(target);
}

static void finds_the_region_of_an_address(void **state)
{
	(void)state;
	struct target *target = fake();
	assert_null(target_region(target, 0));
	add(target, 0x10000, PAGE, REGION_READ, "a");
	add(target, 0x11000, PAGE, REGION_READ, "b");
	add(target, 0x20000, PAGE, REGION_READ, "c");
	assert_null(target_region(target, 0xffff));
	assert_ptr_equal(target_region(target, 0x10000), &target->regions.items[0]);
	assert_ptr_equal(target_region(target, 0x10fff), &target->regions.items[0]);
	assert_ptr_equal(target_region(target, 0x11000), &target->regions.items[1]);
	assert_null(target_region(target, 0x12000));
	assert_ptr_equal(target_region(target, 0x20fff), &target->regions.items[2]);
	assert_null(target_region(target, 0x21000));
	assert_null(target_region(target, UINT64_MAX));
	target_destroy(target);
}

static void reads_across_regions(void **state)
{
	(void)state;
	struct target *target = fake();
	add(target, 0x10000, PAGE, REGION_READ, "a");
	add(target, 0x11000, PAGE, REGION_READ, "b");
	unsigned char bytes[32];
	assert_good(target_read(target, 0x10ff0, bytes, sizeof(bytes)));
	for (size_t i = 0; i < sizeof(bytes); i++)
		assert_int_equal(bytes[i], (unsigned char)((0x10ff0 + i) / 8));
	uint64_t word;
	assert_good(target_read_word(target, 0x11000, &word));
	assert_int_equal(word, 0);
	target_destroy(target);
}

static void names_the_first_address_that_cannot_be_read(void **state)
{
	(void)state;
	struct target *target = fake();
	add(target, 0x10000, PAGE, REGION_READ, "a");
	assert_good(target_fake_add(target, 0x11000, NULL, PAGE, REGION_READ, "device"));
	static const struct {
		uint64_t address;
		const char *sentence;
	} cases[] = {
		{ 0x10ff8, "fake: no readable memory at 0x11000" },
		{ 0x12000, "fake: no readable memory at 0x12000" },
		{ 0, "fake: no readable memory at 0x0" },
		{ UINT64_MAX - 7, "fake: no readable memory at 0xfffffffffffffff8" },
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		unsigned char bytes[16];
		struct error *error =
			target_read(target, cases[i].address, bytes, sizeof(bytes));
		assert_non_null(error);
		assert_int_equal(error->code, ERROR_READ);
		assert_string_equal(error->sentence, cases[i].sentence);
		error_destroy(error);
	}
	target_destroy(target);
}

static void extents_tell_what_pages_have(void **state)
{
	(void)state;
	struct target *target = fake();
	add(target, 0x10000, (size_t)8 * PAGE, REGION_READ, "a");
	assert_good(target_fake_mark(target, 0x11000, 0x13000, FAKE_PAGES_ABSENT));
	assert_good(target_fake_mark(target, 0x15000, 0x17000, FAKE_PAGES_SWAPPED));
	struct extent_vec extents = { 0 };
	const struct region *region = &target->regions.items[0];
	assert_good(target_extents(target, region, region->start, region->end, &extents));
	static const struct extent expected[] = {
		{ 0x10000, 0x11000, false },
		{ 0x13000, 0x15000, false },
		{ 0x15000, 0x17000, true },
		{ 0x17000, 0x18000, false },
	};
	assert_int_equal(extents.nr, ARRAY_SIZE(expected));
	for (size_t i = 0; i < extents.nr; i++) {
		assert_int_equal(extents.items[i].start, expected[i].start);
		assert_int_equal(extents.items[i].end, expected[i].end);
		assert_int_equal(extents.items[i].swapped, expected[i].swapped);
	}
	extents.nr = 0;
	assert_good(target_extents(target, region, 0x12000, 0x16000, &extents));
	assert_int_equal(extents.nr, 2);
	assert_int_equal(extents.items[0].start, 0x13000);
	assert_int_equal(extents.items[1].end, 0x16000);
	uint64_t word;
	assert_good(target_read_word(target, 0x11008, &word));
	assert_int_equal(word, 0);
	extent_vec_deinit(&extents);
	target_destroy(target);
}

/* Regions as the loader maps a program and two libraries. */
static const struct layout {
	uint64_t address, offset;
	uint64_t inode;
	unsigned flags;
	const char *name;
} layout[] = {
	{ 0x400000, 0, 1, REGION_READ, "/bin/program" },
	{ 0x401000, 0x1000, 1, REGION_READ | REGION_EXEC, "/bin/program" },
	{ 0x402000, 0x2000, 1, REGION_READ | REGION_WRITE, "/bin/program" },
	{ 0x403000, 0, 0, REGION_READ | REGION_WRITE, "" },
	{ 0x500000, 0, 0, REGION_READ | REGION_WRITE, "[heap]" },
	{ 0x7f0000, 0, 2, REGION_READ, "/lib/libm.so.6 (deleted)" },
	{ 0x7f1000, 0x1000, 2, REGION_READ | REGION_EXEC, "/lib/libm.so.6 (deleted)" },
	{ 0x7f2000, 0, 3, REGION_READ, "/usr/share/locale" },
	{ 0x7f3000, 0, 4, REGION_READ | REGION_EXEC, "/lib/libc.so.6" },
	{ 0x7f4000, 0, 0, 0, "" },
	{ 0x7f5000, 0x3000, 4, REGION_READ | REGION_WRITE, "/lib/libc.so.6" },
	{ 0x7f6000, 0, 4, REGION_READ | REGION_EXEC, "/lib/libc.so.6" },
};

static struct target *fake_with_modules(void)
{
	struct target *target = fake();
	for (size_t i = 0; i < ARRAY_SIZE(layout); i++) {
		add(target, layout[i].address, PAGE, layout[i].flags, layout[i].name);
		target->regions.items[i].offset = layout[i].offset;
		target->regions.items[i].inode = layout[i].inode;
	}
	assert_good(target_find_modules(target));
	return target;
}

static void modules_are_mapped_files_with_code(void **state)
{
	(void)state;
	struct target *target = fake_with_modules();
	static const struct {
		const char *path;
		uint64_t start, end;
		size_t nr_regions;
		bool deleted;
	} expected[] = {
		{ "/bin/program", 0x400000, 0x403000, 3, false },
		{ "/lib/libm.so.6", 0x7f0000, 0x7f2000, 2, true },
		{ "/lib/libc.so.6", 0x7f3000, 0x7f6000, 3, false },
		{ "/lib/libc.so.6", 0x7f6000, 0x7f7000, 1, false },
	};
	assert_int_equal(target->modules.nr, ARRAY_SIZE(expected));
	for (size_t i = 0; i < ARRAY_SIZE(expected); i++) {
		const struct module *module = &target->modules.items[i];
		assert_string_equal(module->path, expected[i].path);
		assert_int_equal(module->start, expected[i].start);
		assert_int_equal(module->end, expected[i].end);
		assert_int_equal(module->nr_regions, expected[i].nr_regions);
		assert_int_equal(module->deleted, expected[i].deleted);
	}
	target_destroy(target);
}

static void finds_modules_by_address_and_name(void **state)
{
	(void)state;
	struct target *target = fake_with_modules();
	const struct module *modules = target->modules.items;
	assert_ptr_equal(target_module(target, 0x401234), &modules[0]);
	assert_null(target_module(target, 0x403000));
	assert_null(target_module(target, 0x7f2000));
	assert_ptr_equal(target_module(target, 0x7f4000), &modules[2]);
	assert_ptr_equal(target_module_named(target, "libm.so"), &modules[1]);
	assert_ptr_equal(target_module_named(target, "libc.so.6"), &modules[2]);
	assert_null(target_module_named(target, "lib/"));
	assert_null(target_module_named(target, "ibc"));
	target_destroy(target);
}

/* A new freeze fills the lists anew. */
static void forgetting_empties_the_lists(void **state)
{
	(void)state;
	static const uint64_t words[] = { 1, 2, 3 };
	struct target *target = fake_with_modules();
	assert_good(
		target_fake_add_thread(target, 7, 0x500800, words, ARRAY_SIZE(words)));
	assert_int_equal(target->threads.items[0].words[2], 3);
	/* The fake target's contents hang on its regions. */
	struct region_vec regions = target->regions;
	target->regions = (struct region_vec){ 0 };
	target_forget(target);
	assert_int_equal(target->modules.nr, 0);
	assert_int_equal(target->threads.nr, 0);
	target->regions = regions;
	target_destroy(target);
}

static void destroying_nothing_is_fine(void **state)
{
	(void)state;
	target_destroy(NULL);
	struct target *target = fake();
	assert_good(target_freeze(target));
	assert_int_equal(target_thaw(target), 0);
	target_destroy(target);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(regions_are_in_order),
		cmocka_unit_test(finds_the_region_of_an_address),
		cmocka_unit_test(reads_across_regions),
		cmocka_unit_test(names_the_first_address_that_cannot_be_read),
		cmocka_unit_test(extents_tell_what_pages_have),
		cmocka_unit_test(modules_are_mapped_files_with_code),
		cmocka_unit_test(finds_modules_by_address_and_name),
		cmocka_unit_test(forgetting_empties_the_lists),
		cmocka_unit_test(destroying_nothing_is_fine),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
