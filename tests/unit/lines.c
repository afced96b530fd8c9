/*
 * Tests of sym/lines and sym/source on this very test: functions whose lines are known here, as
 * the compiler wrote them, and with their bytes damaged.
 */
#include "sym/lines.h"

#include <dlfcn.h>
#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "sym/source.h"

/* --- what is looked up ---------------------------------------------------------------- */

enum place { INNER, MIDDLE, OUTER, NR_PLACES };

/* Where the calls stand. */
static uint32_t line_of[NR_PLACES];
#define CALL(place, call) (line_of[place] = __LINE__, (call))

static void *return_address(void)
{
	return __builtin_return_address(0);
}

static void *(*volatile ask)(void) = return_address;
static volatile int count;

static inline __attribute__((always_inline)) void *inner(void)
{
	void *address = CALL(INNER, ask());
	count++;
	return address;
}

static inline __attribute__((always_inline)) void *middle(void)
{
	void *address = CALL(MIDDLE, inner());
	count++;
	return address;
}

static __attribute__((noinline)) void *outer(void)
{
	void *address = CALL(OUTER, middle());
	count++;
	return address;
}

static uint64_t own_address(void *address)
{
	Dl_info info;
	struct link_map *map;
	assert_true(dladdr1(address, &info, (void **)&map, RTLD_DL_LINKMAP));
	return (uint64_t)(uintptr_t)address - map->l_addr;
}

static struct lines *open_lines(const char *path)
{
	struct lines *lines = NULL;
	struct error *error = lines_open(path, NULL, &lines);
	assert_null(error);
	return lines;
}

/* --- lines ---------------------------------------------------------------------------- */

static void expect_frame(const struct lines_frame *frame, const char *function,
			 uint32_t line, bool is_inlined)
{
	assert_non_null(frame->function);
	assert_string_equal(frame->function, function);
	assert_non_null(frame->file);
	assert_string_equal(strrchr(frame->file, '/'), "/lines.c");
	assert_int_equal(frame->file[0], '/');
	assert_null(strstr(frame->file, "/../"));
	assert_int_equal(frame->line, line);
	assert_int_equal(frame->is_inlined, is_inlined);
}

static void inlined_calls(void **state)
{
	const struct lines_frame *frames, *again;
	struct lines *lines = open_lines("/proc/self/exe");
	uint64_t address = own_address(outer()) - 1;
	(void)state;
	assert_int_equal(lines_at(lines, address, &frames), 3);
	expect_frame(&frames[0], "inner", line_of[INNER], true);
	expect_frame(&frames[1], "middle", line_of[MIDDLE], true);
	expect_frame(&frames[2], "outer", line_of[OUTER], false);
	assert_int_equal(lines_at(lines, address, &again), 3);
	assert_ptr_equal(again, frames);
	lines_close(lines);
}

static void addresses_of_nothing(void **state)
{
	static const uint64_t addresses[] = { 0, 1, 0x7fffffffffff, UINT64_MAX };
	const struct lines_frame *frames;
	struct lines *lines = open_lines("/proc/self/exe");
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(addresses); i++)
		assert_int_equal(lines_at(lines, addresses[i], &frames), 0);
	lines_close(lines);
}

static void other_build_id(void **state)
{
	struct lines *lines;
	struct error *error = lines_open("/proc/self/exe", "0123", &lines);
	(void)state;
	assert_non_null(error);
	error_destroy(error);
}

static void no_file(void **state)
{
	static const char *const paths[] = { "/nowhere", "/dev/zero", "/tmp", __FILE__ };
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
		struct lines *lines;
		struct error *error = lines_open(paths[i], NULL, &lines);
		assert_non_null(error);
		error_destroy(error);
	}
}

/* --- damage --------------------------------------------------------------------------- */

struct copy {
	unsigned char *bytes;
	size_t size;
	uint64_t from, to; /* the debug sections */
};

static void find_debug_sections(struct copy *copy)
{
	const Elf64_Ehdr *header = (const void *)copy->bytes;
	const Elf64_Shdr *sections = (const void *)(copy->bytes + header->e_shoff);
	const char *names =
		(const char *)copy->bytes + sections[header->e_shstrndx].sh_offset;
	copy->from = UINT64_MAX;
	for (unsigned i = 0; i < header->e_shnum; i++) {
		if (strncmp(names + sections[i].sh_name, ".debug_", 7) != 0)
			continue;
		uint64_t end = sections[i].sh_offset + sections[i].sh_size;
		if (sections[i].sh_offset < copy->from)
			copy->from = sections[i].sh_offset;
		if (end > copy->to)
			copy->to = end;
	}
}

static struct copy read_self(void)
{
	struct copy copy = { 0 };
	struct stat status;
	CLEANUP_CLOSE int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	assert_int_equal(fstat(fd, &status), 0);
	copy.size = (size_t)status.st_size;
	copy.bytes = malloc(copy.size);
	assert_int_equal(pread(fd, copy.bytes, copy.size, 0), copy.size);
	find_debug_sections(&copy);
	return copy;
}

static void ask_of(const char *path, uint64_t address)
{
	struct lines *lines = NULL;
	const struct lines_frame *frames;
	struct error *error = lines_open(path, NULL, &lines);
	if (!error)
		lines_at(lines, address, &frames);
	error_destroy(error);
	lines_close(lines);
}

/* Bytes all over the debug sections say something else: no lines or wrong ones, but an end. */
static void damaged(void **state)
{
	struct copy copy = read_self();
	uint64_t address = own_address(outer()) - 1;
	char path[] = "/tmp/seep-lines-XXXXXX";
	CLEANUP_CLOSE int fd = mkstemp(path);
	(void)state;
	srand(1);
	for (unsigned round = 0; round < 100; round++) {
		uint64_t at[64];
		unsigned char was[64];
		for (unsigned i = 0; i < 64; i++) {
			uint64_t range = copy.to - copy.from;
			at[i] = copy.from +
				((uint64_t)rand() << 15 ^ (uint64_t)rand()) % range;
			was[i] = copy.bytes[at[i]];
			copy.bytes[at[i]] = (unsigned char)rand();
		}
		assert_int_equal(pwrite(fd, copy.bytes, copy.size, 0), copy.size);
		ask_of(path, address);
		for (unsigned i = 64; i-- > 0;)
			copy.bytes[at[i]] = was[i];
	}
	for (unsigned i = 1; i <= 16; i++) {
		assert_int_equal(ftruncate(fd, (off_t)(copy.size * i / 17)), 0);
		ask_of(path, address);
	}
	unlink(path);
	free(copy.bytes);
}

/* --- source --------------------------------------------------------------------------- */

static void excerpts(void **state)
{
	struct sentence_vec texts = { 0 };
	char path[] = "/tmp/seep-source-XXXXXX";
	CLEANUP_CLOSE int fd = mkstemp(path);
	uint32_t first;
	(void)state;
	assert_int_equal(write(fd, "a\nb\nc\r\nd", 8), 8);
	assert_null(source_excerpt(path, 3, 1, &texts, &first));
	assert_int_equal(texts.nr, 3);
	assert_int_equal(first, 2);
	assert_string_equal(texts.items[1], "c");
	assert_string_equal(texts.items[2], "d");
	assert_null(source_excerpt(path, 1, 1, &texts, &first));
	assert_int_equal(texts.nr, 5);
	assert_int_equal(first, 1);
	assert_null(source_excerpt(path, 5, 1, &texts, &first));
	assert_null(source_excerpt("/nowhere", 1, 1, &texts, &first));
	assert_null(source_excerpt("/dev/zero", 1, 1, &texts, &first));
	assert_int_equal(texts.nr, 5);
	sentences_deinit(&texts);
	unlink(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(inlined_calls),  cmocka_unit_test(addresses_of_nothing),
		cmocka_unit_test(other_build_id), cmocka_unit_test(no_file),
		cmocka_unit_test(damaged),        cmocka_unit_test(excerpts),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
