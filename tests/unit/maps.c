/* Tests of target/maps: what the kernel writes, odd names, and lines that make no sense. */
#include "target/maps.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "base/str.h"

static struct region_vec parse(const char *text)
{
	struct region_vec regions = { 0 };
	struct error *error = maps_parse(text, strlen(text), "maps", &regions);
	if (error)
		fail_msg("%s", error->sentence);
	return regions;
}

static void assert_refused(const char *text, const char *sentence)
{
	struct region_vec regions = { 0 };
	struct error *error = maps_parse(text, strlen(text), "some/maps", &regions);
	if (!error)
		fail_msg("was taken for a mapping: %s", text);
	assert_int_equal(error->code, ERROR_FORMAT);
	assert_string_equal(error->sentence, sentence);
	error_destroy(error);
	regions_deinit(&regions);
}

static void nothing_is_no_regions(void **state)
{
	(void)state;
	struct region_vec regions = parse("");
	assert_int_equal(regions.nr, 0);
	regions_deinit(&regions);
}

static void reads_every_field(void **state)
{
	(void)state;
	struct region_vec regions =
		parse("00400000-00452000 r-xp 00051000 fd:1a 173521      /usr/bin/dbus\n"
		      "00e03000-00e24000 rw-p 00000000 00:00 0           [heap]\n"
		      "7f0000000000-7f0000021000 ---s 00000000 00:00 0 \n");
	assert_int_equal(regions.nr, 3);
	const struct region *code = &regions.items[0];
	assert_int_equal(code->start, 0x400000);
	assert_int_equal(code->end, 0x452000);
	assert_int_equal(code->flags, REGION_READ | REGION_EXEC);
	assert_int_equal(code->offset, 0x51000);
	assert_int_equal(code->major, 0xfd);
	assert_int_equal(code->minor, 0x1a);
	assert_int_equal(code->inode, 173521);
	assert_string_equal(code->name, "/usr/bin/dbus");
	assert_int_equal(regions.items[1].flags, REGION_READ | REGION_WRITE);
	assert_string_equal(regions.items[1].name, "[heap]");
	assert_int_equal(regions.items[2].flags, REGION_SHARED);
	assert_string_equal(regions.items[2].name, "");
	regions_deinit(&regions);
}

/* The last line of a file that was cut, and a name-less line as some tools store it. */
static void the_last_newline_may_be_missing(void **state)
{
	(void)state;
	struct region_vec regions = parse("1000-2000 rw-p 00000000 00:00 0 ");
	assert_int_equal(regions.nr, 1);
	regions_deinit(&regions);
	regions = parse("1000-2000 rw-p 00000000 00:00 17");
	assert_int_equal(regions.items[0].inode, 17);
	assert_string_equal(regions.items[0].name, "");
	regions_deinit(&regions);
}

/* The text need not end in NUL: nothing past `size` counts. */
static void stays_within_its_size(void **state)
{
	(void)state;
	static const char text[] = "1000-2000 rw-p 00000000 00:00 0 [heap]\n";
	for (size_t size = 0; size < sizeof(text); size++) {
		CLEANUP_FREE char *copy = malloc(size ? size : 1);
		assert_non_null(copy);
		memcpy(copy, text, size);
		struct region_vec regions = { 0 };
		error_destroy(maps_parse(copy, size, "maps", &regions));
		regions_deinit(&regions);
	}
}

static void names_may_be_odd(void **state)
{
	(void)state;
	static const char *const names[] = {
		"/home/a user/My Program",
		"/tmp/with\\012newline",
		"/usr/lib/libc.so.6 (deleted)",
		"/tmp/x 1000-2000 rw-p 00000000 00:00 0 [heap]",
		"/SYSV00000000 (deleted)",
		"/memfd:a:b (deleted)",
		"anon_inode:[io_uring]",
		"[anon: a pool ]",
		"socket:[12345]",
		"/\xff\xfe\x01",
		"(deleted)",
	};
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		struct str text = { 0 };
		str_printf(&text, "1000-2000 rw-p 00000000 08:01 5    %s\n", names[i]);
		struct region_vec regions = parse(str_text(&text));
		assert_int_equal(regions.nr, 1);
		assert_string_equal(regions.items[0].name, names[i]);
		regions_deinit(&regions);
		str_deinit(&text);
	}
}

static void the_end_of_the_address_space_is_a_place(void **state)
{
	(void)state;
	struct region_vec regions = parse(
		"0-1000 r--p ffffffffffffffff ffffffff:ffffffff 18446744073709551615 x\n"
		"ffffffffff600000-fffffffffffff000 --xp 00000000 00:00 0  [vsyscall]\n");
	assert_int_equal(regions.items[0].offset, UINT64_MAX);
	assert_int_equal(regions.items[0].inode, UINT64_MAX);
	assert_int_equal(regions.items[0].major, UINT32_MAX);
	assert_int_equal(regions.items[1].end, 0xfffffffffffff000);
	regions_deinit(&regions);
}

static void adds_to_what_is_there(void **state)
{
	(void)state;
	static const char later[] = "2000-3000 rw-p 00000000 00:00 0 \n";
	struct region_vec regions = parse("1000-2000 rw-p 00000000 00:00 0 \n");
	struct error *error = maps_parse(later, strlen(later), "maps", &regions);
	assert_null(error);
	assert_int_equal(regions.nr, 2);
	error = maps_parse(later, strlen(later), "maps", &regions);
	assert_non_null(error);
	error_destroy(error);
	regions_deinit(&regions);
}

static void reads_our_own(void **state)
{
	(void)state;
	struct str text = { 0 };
	CLEANUP_FCLOSE FILE *file = fopen("/proc/self/maps", "re");
	assert_non_null(file);
	char line[8192];
	while (fgets(line, sizeof(line), file))
		str_puts(&text, line);
	struct region_vec regions = parse(str_text(&text));
	bool found = false;
	for (size_t i = 0; i < regions.nr; i++)
		found |= regions.items[i].start <= (uintptr_t)&parse &&
			 (uintptr_t)&parse < regions.items[i].end &&
			 (regions.items[i].flags & REGION_EXEC);
	assert_true(found);
	regions_deinit(&regions);
	str_deinit(&text);
}

static void what_makes_no_sense_is_refused(void **state)
{
	(void)state;
	static const char *const lines[] = {
		"\n",
		" \n",
		"x\n",
		"1000\n",
		"1000-\n",
		"1000-2000\n",
		"1000-2000 \n",
		"1000-2000 rw-p\n",
		"1000-2000 rw-p 0\n",
		"1000-2000 rw-p 0 0\n",
		"1000-2000 rw-p 0 0:0\n",
		"1000-2000 rw-p 0 0:0 \n",
		"1000-2000 rw-p 0 0:0 x\n",
		"1000-2000 rw-p 0 0:0 12x\n",
		"1000-2000 rw-p 0 0:0 -1 /a\n",
		"1000-2000 rw-p 0 0:0 1f /a\n",
		"1000-2000 rw-p 0 0:0 18446744073709551616\n",
		"1000-2000 rw-p 0 0:0 18446744073709551616 /a\n",
		"1000-2000 rw-p x 0:0 0 /a\n",
		"1000-2000 rw-p 0 :0 0 /a\n",
		"1000-2000 rw-p 0 0:0x1 0 /a\n",
		"1000-2000 rw-pp 0 0:0 0 /a\n",
		"1000-2000 rw- 0 0:0 0 /a\n",
		"1000-2000 rwzp 0 0:0 0 /a\n",
		"1000-2000 wrxp 0 0:0 0 /a\n",
		"1000-2000 rw-x 0 0:0 0 /a\n",
		"1000-2000  rw-p 0 0:0 0 /a\n",
		" 1000-2000 rw-p 0 0:0 0 /a\n",
		"0x1000-0x2000 rw-p 0 0:0 0 /a\n",
		"1000--2000 rw-p 0 0:0 0 /a\n",
		"-2000 rw-p 0 0:0 0 /a\n",
		"1000 2000 rw-p 0 0:0 0 /a\n",
		"F000-FFFF rw-p 0 0:0 0 /a\n",
		"10000000000000000-20000000000000000 rw-p 0 0:0 0 /a\n",
		"2000-1000 rw-p 0 0:0 0 /a\n",
		"1000-1000 rw-p 0 0:0 0 /a\n",
		"1001-2000 rw-p 0 0:0 0 /a\n",
		"1000-2008 rw-p 0 0:0 0 /a\n",
	};
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++)
		assert_refused(lines[i],
			       "some/maps: line 1 is no mapping that makes sense");
}

static void the_line_is_named(void **state)
{
	(void)state;
	assert_refused("1000-2000 rw-p 0 0:0 0 \n"
		       "2000-3000 rw-p 0 0:0 0 \n"
		       "2000-4000 rw-p 0 0:0 0 \n",
		       "some/maps: line 3 is no mapping that makes sense");
	assert_refused("2000-3000 rw-p 0 0:0 0 \n"
		       "1000-2000 rw-p 0 0:0 0 \n",
		       "some/maps: line 2 is no mapping that makes sense");
	assert_refused("1000-2000 rw-p 0 0:0 0 \n\n3000-4000 rw-p 0 0:0 0 \n",
		       "some/maps: line 2 is no mapping that makes sense");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_is_no_regions),
		cmocka_unit_test(reads_every_field),
		cmocka_unit_test(the_last_newline_may_be_missing),
		cmocka_unit_test(stays_within_its_size),
		cmocka_unit_test(names_may_be_odd),
		cmocka_unit_test(the_end_of_the_address_space_is_a_place),
		cmocka_unit_test(adds_to_what_is_there),
		cmocka_unit_test(reads_our_own),
		cmocka_unit_test(what_makes_no_sense_is_refused),
		cmocka_unit_test(the_line_is_named),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
