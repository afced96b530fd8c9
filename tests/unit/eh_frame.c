/* Tests of unwind/eh_frame and row: entries and rows of bytes that are written here. */
#include "unwind/row.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum {
	ADDRESS = 0x10000, /* of the module */
	CODE = 0x8000,     /* of its functions: the module's address and this */
	WORD = 8,
};

/* The instructions are those of DWARF 5, table 7.29; registers by their numbers on x86-64, which
   exist on arm64 as well. */
static const uint8_t section[] = {
	/* .eh_frame_hdr: version, encodings, .eh_frame, 2 rows: function, entry */
	1,
	0x1b,
	0x03,
	0x3b,
	0x18,
	0,
	0,
	0,
	2,
	0,
	0,
	0, /* */
	0x00,
	0x80,
	0,
	0,
	0x34,
	0,
	0,
	0, /* */
	0x00,
	0x81,
	0,
	0,
	0x54,
	0,
	0,
	0, /* */
	/* at 28: a CIE: "zRS", code 1, data -8, return address in 16, pcrel sdata4; the CFA
	   is r7 + 8, the return address at the CFA - 8 */
	0x14,
	0,
	0,
	0,
	0,
	0,
	0,
	0,
	1,
	'z',
	'R',
	'S',
	0,
	1,
	0x78,
	16,
	1,
	0x1b, /* */
	0x0c,
	7,
	8,
	0x90,
	1,
	0, /* */
	/* at 52: its first function, 0x100 bytes */
	0x1c,
	0,
	0,
	0,
	0x1c,
	0,
	0,
	0, /* */
	0xc4,
	0x7f,
	0,
	0,
	0,
	1,
	0,
	0,
	0, /* */
	0x41,
	0x0e,
	16,
	0x86,
	2, /* 1: CFA r7 + 16, r6 at CFA - 16 */
	0x42,
	0x0a,
	0x0d,
	6, /* 3: remember; CFA r6 + 16 */
	0x44,
	0x0b,
	0xc6, /* 7: recall; r6 as at first */
	0,
	0,
	0, /* */
	/* at 84: the second one, 0x10 bytes, its CFA the word at r6 - 8 */
	0x18,
	0,
	0,
	0,
	0x3c,
	0,
	0,
	0, /* */
	0xa4,
	0x80,
	0,
	0,
	0x10,
	0,
	0,
	0,
	0, /* */
	0x0f,
	3,
	0x76,
	0x78,
	0x06,
	0x10,
	6,
	2,
	0x76,
	0,
	0, /* */
	0,
	0,
	0,
	0,
};

static const struct bytes module = { section, ADDRESS, sizeof(section) };

static bool find(const struct bytes *bytes, uint64_t code, struct eh_entry *entry,
		 struct row *row)
{
	return eh_frame_find(bytes, ADDRESS, ADDRESS + code, entry) &&
	       row_find(bytes, entry, ADDRESS + code, row);
}

static void finds_the_entry(void **state)
{
	(void)state;
	struct eh_entry entry;
	struct row row;
	assert_true(find(&module, CODE, &entry, &row));
	assert_int_equal(entry.start, ADDRESS + CODE);
	assert_int_equal(entry.end, ADDRESS + CODE + 0x100);
	assert_true(entry.is_signal_frame);
	assert_true(find(&module, CODE + 0x10f, &entry, &row));
	assert_int_equal(entry.start, ADDRESS + CODE + 0x100);
	assert_false(find(&module, CODE - 1, &entry, &row));
	assert_false(find(&module, CODE + 0x110, &entry, &row));
}

static void rows_change_along_the_code(void **state)
{
	(void)state;
	static const struct {
		uint64_t at;
		uint8_t cfa_register;
		int cfa;
		enum row_kind kind_of_6;
	} rows[] = {
		{ 0, 7, 8, ROW_UNSPECIFIED },    { 1, 7, 16, ROW_AT_CFA },
		{ 2, 7, 16, ROW_AT_CFA },        { 3, 6, 16, ROW_AT_CFA },
		{ 6, 6, 16, ROW_AT_CFA },        { 7, 7, 16, ROW_UNSPECIFIED },
		{ 255, 7, 16, ROW_UNSPECIFIED },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct eh_entry entry;
		struct row row;
		assert_true(find(&module, CODE + rows[i].at, &entry, &row));
		assert_int_equal(row.cfa_kind, ROW_REGISTER_AND_MORE);
		assert_int_equal(row.cfa_register, rows[i].cfa_register);
		assert_int_equal(row.cfa, rows[i].cfa);
		assert_int_equal(row.kinds[6], rows[i].kind_of_6);
		assert_int_equal(row.kinds[CPU_PC], ROW_AT_CFA);
		assert_int_equal(row.values[CPU_PC], -WORD);
	}
}

static void expressions_are_told_by_their_place(void **state)
{
	(void)state;
	struct eh_entry entry;
	struct row row;
	assert_true(find(&module, CODE + 0x100, &entry, &row));
	assert_int_equal(row.cfa_kind, ROW_IS_EXPRESSION);
	assert_int_equal(section[row.cfa], 3);
	assert_int_equal(row.kinds[6], ROW_AT_EXPRESSION);
	assert_int_equal(section[row.values[6]], 2);
}

/* Nothing past the end is read, and there is an end wherever it is cut. */
static void stays_within_its_size(void **state)
{
	(void)state;
	for (size_t size = 0; size < sizeof(section); size++) {
		uint8_t *copy = malloc(size ? size : 1);
		assert_non_null(copy);
		memcpy(copy, section, size);
		struct bytes cut = { copy, ADDRESS, size };
		struct eh_entry entry;
		struct row row;
		find(&cut, CODE + 8, &entry, &row);
		find(&cut, CODE + 0x108, &entry, &row);
		free(copy);
	}
}

/* Any byte may be any other. */
static void damage_is_refused_or_harmless(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(section); i++)
		for (unsigned value = 0; value < 256; value++) {
			uint8_t copy[sizeof(section)];
			memcpy(copy, section, sizeof(section));
			copy[i] = (uint8_t)value;
			struct bytes damaged = { copy, ADDRESS, sizeof(copy) };
			struct eh_entry entry;
			struct row row;
			find(&damaged, CODE + 8, &entry, &row);
			find(&damaged, CODE + 0x108, &entry, &row);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_the_entry),
		cmocka_unit_test(rows_change_along_the_code),
		cmocka_unit_test(expressions_are_told_by_their_place),
		cmocka_unit_test(stays_within_its_size),
		cmocka_unit_test(damage_is_refused_or_harmless),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
