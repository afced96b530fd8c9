/*
 * Tests of unwind/epilogue: what it says of each call in libraries that have .eh_frame is compared
 * with what .eh_frame says.
 */
#include "unwind/epilogue.h"

#include <link.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "unwind/instruction.h"
#include "unwind/module.h"
#include "unwind/rule.h"

#if defined(__x86_64__)

struct comparison {
	const char *library;
	struct epilogue_code code;
	size_t nr_calls, nr_found, nr_by_other, nr_wrong;
};

_Noreturn void __assert_fail(const char *, const char *, unsigned, const char *);
_Noreturn void __stack_chk_fail(void);
#define ENDING(function) (void (*)(void)) function
static void (*const endings[])(void) = {
	ENDING(exit),    ENDING(_Exit),         ENDING(abort),
	ENDING(longjmp), ENDING(__assert_fail), ENDING(__stack_chk_fail),
};

static bool is_call(const uint8_t *at, const struct instruction *instruction)
{
	const uint8_t *opcode = (*at & 0xf0) == 0x40 ? at + 1 : at;
	return instruction->kind == INSTRUCTION_CALL ||
	       (opcode[0] == 0xff && (opcode[1] >> 3 & 7) == 2);
}

/* What is told of a register in both must be the same. */
static bool agrees(const struct row *said, const struct row *found)
{
	static const uint8_t numbers[] = { CPU_PC, CPU_BP, 3, 12, 13, 14, 15 };
	bool same = said->cfa == found->cfa;
	for (size_t i = 0; i < sizeof(numbers); i++) {
		uint8_t number = numbers[i];
		int32_t at = said->kinds[number] == ROW_AT_CFA ? said->values[number] : 0;
		if (found->kinds[number] == ROW_UNDEFINED)
			continue;
		same = same &&
		       at == (found->kinds[number] == ROW_AT_CFA ? found->values[number]
								 : 0);
	}
	return same;
}

static void compare_call(struct comparison *comparison, const struct module *module,
			 const struct eh_entry *entry, uint64_t pc)
{
	struct row said, found;
	if (!row_find(&module->bytes, entry, pc - 1, &said) ||
	    said.cfa_kind != ROW_REGISTER_AND_MORE)
		return;
	comparison->nr_calls++;
	if (!epilogue_find(&comparison->code, pc, false, &found))
		return;
	comparison->nr_found++;
	if (said.cfa_register != found.cfa_register) {
		comparison->nr_by_other++;
	} else if (!agrees(&said, &found)) {
		comparison->nr_wrong++;
		print_message("%s: wrong at %#lx: the CFA is +%d, found +%d\n",
			      comparison->library,
			      (unsigned long)(pc - module->bytes.address), said.cfa,
			      found.cfa);
	}
}

static void compare_function(struct comparison *comparison, const struct module *module,
			     const struct eh_entry *entry)
{
	struct instruction instruction;
	for (uint64_t at = entry->start; at < entry->end; at += instruction.size) {
		const uint8_t *bytes = (const uint8_t *)(uintptr_t)at;
		assert_true(instruction_read(bytes, 16, &instruction));
		if (instruction.kind == INSTRUCTION_BAD)
			return; /* its length may not be right */
		if (is_call(bytes, &instruction) && at + instruction.size < entry->end)
			compare_call(comparison, module, entry, at + instruction.size);
	}
}

static void compare_segment(struct comparison *comparison)
{
	uint64_t start = comparison->code.bytes.address;
	uint64_t end = start + comparison->code.bytes.size;
	for (uint64_t pc = start; pc < end;) {
		struct module module;
		struct eh_entry entry;
		assert_true(module_find(pc, &module));
		bool found = eh_frame_find(&module.bytes, module.header, pc, &entry) &&
			     entry.start == pc;
		if (found)
			compare_function(comparison, &module, &entry);
		pc = found ? entry.end : pc + 1;
	}
}

static int compare_module(struct dl_phdr_info *info, size_t size, void *data)
{
	(void)size;
	struct comparison *comparison = data;
	if (!strstr(info->dlpi_name, comparison->library))
		return 0;
	for (size_t i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *segment = &info->dlpi_phdr[i];
		uint64_t start = info->dlpi_addr + segment->p_vaddr;
		if (segment->p_type != PT_LOAD || !(segment->p_flags & PF_X))
			continue;
		comparison->code = (struct epilogue_code){
			{ (const uint8_t *)(uintptr_t)start, start, segment->p_filesz },
			endings,
			sizeof(endings) / sizeof(endings[0]),
		};
		compare_segment(comparison);
	}
	return 1;
}

static void calls_of_libc(void **state)
{
	(void)state;
	struct comparison comparison = { .library = "/libc.so.6" };
	assert_int_equal(dl_iterate_phdr(compare_module, &comparison), 1);
	print_message("%s: %zu calls, found %zu, by another register %zu, wrong %zu\n",
		      comparison.library, comparison.nr_calls, comparison.nr_found,
		      comparison.nr_by_other, comparison.nr_wrong);
	assert_true(comparison.nr_found > comparison.nr_calls / 2);
	assert_int_equal(comparison.nr_wrong, 0);
}

#define FIND(code, is_exact, row)                                                        \
	find((const uint8_t[])code, sizeof((const uint8_t[])code), is_exact, row)

static bool find(const uint8_t *bytes, size_t size, bool is_exact, struct row *row)
{
	const struct epilogue_code code = { { bytes, 0x1000, size }, NULL, 0 };
	return epilogue_find(&code, 0x1000, is_exact, row);
}

#define BYTES(...)                                                                       \
	{                                                                                \
		__VA_ARGS__                                                              \
	}

static void pops(void **state)
{
	(void)state;
	struct row row;
	/* add $8, %rsp; pop %rbx; pop %rbp; pop %r12; ret */
	assert_true(FIND(BYTES(0x48, 0x83, 0xc4, 0x10, 0x5b, 0x5d, 0x41, 0x5c, 0xc3),
			 false, &row));
	assert_int_equal(row.cfa_register, CPU_SP);
	assert_int_equal(row.cfa, 48);
	assert_int_equal(row.values[CPU_PC], -8);
	assert_int_equal(row.values[3], -32);
	assert_int_equal(row.values[CPU_BP], -24);
	assert_int_equal(row.values[12], -16);
	assert_int_equal(row.kinds[13], ROW_SAME);
}

static void what_is_pushed_later(void **state)
{
	(void)state;
	struct row row;
	/* push %rbx; mov %edi, %ebx; pop %rbx; add $8, %rsp; ret */
	assert_true(FIND(BYTES(0x53, 0x89, 0xfb, 0x5b, 0x48, 0x83, 0xc4, 0x08, 0xc3),
			 false, &row));
	assert_int_equal(row.cfa, 16);
	assert_int_equal(row.kinds[3], ROW_SAME);
}

static void what_cannot_be(void **state)
{
	(void)state;
	struct row row;
	/* hlt */
	assert_false(FIND(BYTES(0xf4, 0xc3), false, &row));
	/* jmp to itself */
	assert_false(FIND(BYTES(0xeb, 0xfe), false, &row));
	/* ret, where a call leaves the caller's frame not aligned */
	assert_false(FIND(BYTES(0xc3), false, &row));
	assert_true(FIND(BYTES(0xc3), true, &row));
	/* two ways that come to different frames: je 1f; add $8, %rsp; ret; 1: add $24, … */
	assert_false(FIND(BYTES(0x74, 0x05, 0x48, 0x83, 0xc4, 0x08, 0xc3, 0x48, 0x83,
				0xc4, 0x18, 0xc3),
			  false, &row));
	/* sub %rax, %rsp; … */
	assert_false(
		FIND(BYTES(0x48, 0x29, 0xc4, 0x48, 0x83, 0xc4, 0x08, 0xc3), false, &row));
	/* the end of memory, within an instruction and between two */
	assert_false(FIND(BYTES(0x48, 0x83, 0xc4), false, &row));
	assert_false(FIND(BYTES(0x90), false, &row));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(calls_of_libc),
		cmocka_unit_test(pops),
		cmocka_unit_test(what_is_pushed_later),
		cmocka_unit_test(what_cannot_be),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

#else

int main(void)
{
	return 77;
}

#endif
