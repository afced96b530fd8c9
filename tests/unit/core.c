/* Tests of target/core_write and target/core: what is written of a fake target is read back. */
#include "target/core_write.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "target/file_priv.h"
#include "target/registers.h"

#define PAGE 4096u

static void assert_good(struct error *error)
{
	if (error)
		fail_msg("%s", error->sentence);
}

static void add(struct target *target, uint64_t address, size_t nr_pages, unsigned flags,
		const char *name)
{
	unsigned char *bytes = malloc(nr_pages * PAGE);
	assert_non_null(bytes);
	for (size_t i = 0; i < nr_pages * PAGE; i++)
		bytes[i] = (unsigned char)(1 + (address + i) / 8 % 255);
	assert_good(
		target_fake_add(target, address, bytes, nr_pages * PAGE, flags, name));
	free(bytes);
}

static void add_thread(struct target *target, pid_t tid, uint64_t sp)
{
	struct user_regs_struct general = { .rip = 0x10100, .rsp = sp, .rbx = 0x1234 };
	unsigned char vectors[600];
	memset(vectors, 7, sizeof(vectors));
	struct thread thread;
	assert_good(registers_fill(&general, vectors, sizeof(vectors), &thread));
	thread.tid = tid;
	assert_true(thread_vec_push(&target->threads, thread));
}

/* A program, its data with a page that was never written, memory of its own. */
static struct target *make_target(void)
{
	struct target *target = NULL;
	const unsigned write = REGION_READ | REGION_WRITE;
	assert_good(target_fake_create(&target));
	add(target, 0x10000, 2, REGION_READ | REGION_EXEC, "/bin/program");
	add(target, 0x12000, 3, write, "/bin/program");
	target->regions.items[1].offset = 0x2000;
	add(target, 0x20000, 8, write, "");
	add(target, 0x40000, 4, write, "");
	assert_good(target_find_modules(target));
	assert_good(target_fake_mark(target, 0x11000, 0x12000, FAKE_PAGES_ABSENT));
	assert_good(target_fake_mark(target, 0x13000, 0x14000, FAKE_PAGES_ABSENT));
	assert_good(target_fake_mark(target, 0x21000, 0x23000, FAKE_PAGES_ABSENT));
	assert_good(target_fake_mark(target, 0x24000, 0x25000, FAKE_PAGES_SWAPPED));
	assert_good(target_fake_mark(target, 0x40000, 0x44000, FAKE_PAGES_ABSENT));
	add_thread(target, 77, 0x20100);
	add_thread(target, 78, 0x20200);
	return target;
}

static struct target *write_and_read(struct target *target, struct core_outcome *outcome)
{
	char auxv[16] = { 0 };
	struct core_facts facts = {
		.pid = 77, .state = 'S', .comm = "program", .auxv = auxv, .auxv_size = 16
	};
	const struct target_file_options options = { 0 };
	struct target *core = NULL;
	int fd = memfd_create("core", MFD_CLOEXEC);
	assert_true(fd >= 0);
	assert_good(core_write(target, &facts, fd, "core", outcome));
	struct stat status;
	assert_int_equal(fstat(fd, &status), 0);
	assert_int_equal(status.st_size, outcome->file_bytes);
	assert_good(core_open(fd, "core", &options, &core));
	return core;
}

static void assert_same_memory(struct target *target, struct target *core, uint64_t start,
			       uint64_t end)
{
	unsigned char expected[PAGE], found[PAGE];
	for (uint64_t at = start; at < end; at += PAGE) {
		assert_good(target_read(target, at, expected, PAGE));
		assert_good(target_read(core, at, found, PAGE));
		assert_memory_equal(expected, found, PAGE);
	}
}

static void memory_comes_back(void **state)
{
	(void)state;
	struct core_outcome outcome;
	struct target *target = make_target();
	struct target *core = write_and_read(target, &outcome);
	assert_same_memory(target, core, 0x10000, 0x11000);
	assert_same_memory(target, core, 0x12000, 0x13000);
	assert_same_memory(target, core, 0x14000, 0x15000);
	assert_same_memory(target, core, 0x20000, 0x24000);
	assert_same_memory(target, core, 0x25000, 0x28000);
	assert_same_memory(target, core, 0x40000, 0x44000);
	assert_int_equal(outcome.left_out_bytes, PAGE);
	target_destroy(core);
	target_destroy(target);
}

/* File pages that were not written are the file's; what was swapped out is not there. */
static void nothing_is_made_up(void **state)
{
	(void)state;
	struct core_outcome outcome;
	struct target *target = make_target();
	struct target *core = write_and_read(target, &outcome);
	static const uint64_t unreadable[] = { 0x11000, 0x13000, 0x24000 };
	for (size_t i = 0; i < ARRAY_SIZE(unreadable); i++) {
		uint64_t word;
		struct error *error = target_read_word(core, unreadable[i], &word);
		assert_non_null(error);
		error_destroy(error);
	}
	target_destroy(core);
	target_destroy(target);
}

static void assert_extents(struct target *core, uint64_t address,
			   const struct extent *expected, size_t nr)
{
	struct extent_vec found = { 0 };
	for (const struct region *region; (region = target_region(core, address));
	     address = region->end)
		assert_good(
			target_extents(core, region, region->start, region->end, &found));
	assert_int_equal(found.nr, nr);
	for (size_t i = 0; i < nr; i++) {
		assert_int_equal(found.items[i].start, expected[i].start);
		assert_int_equal(found.items[i].end, expected[i].end);
		assert_int_equal(found.items[i].swapped, expected[i].swapped);
	}
	extent_vec_deinit(&found);
}

static void extents_come_back(void **state)
{
	(void)state;
	struct core_outcome outcome;
	struct target *target = make_target();
	struct target *core = write_and_read(target, &outcome);
	const struct extent data[] = {
		{ 0x10000, 0x11000, false },
		{ 0x12000, 0x13000, false },
		{ 0x14000, 0x15000, false },
	};
	const struct extent memory[] = {
		{ 0x20000, 0x21000, false },
		{ 0x23000, 0x24000, false },
		{ 0x24000, 0x25000, true },
		{ 0x25000, 0x28000, false },
	};
	assert_extents(core, 0x10000, data, ARRAY_SIZE(data));
	assert_extents(core, 0x20000, memory, ARRAY_SIZE(memory));
	assert_extents(core, 0x40000, NULL, 0);
	target_destroy(core);
	target_destroy(target);
}

static void threads_and_names_come_back(void **state)
{
	(void)state;
	struct core_outcome outcome;
	struct target *target = make_target();
	struct target *core = write_and_read(target, &outcome);
	assert_string_equal(core->name, "program (77)");
	assert_string_equal(core->path, "core");
	assert_int_equal(core->pid, 77);
	assert_int_equal(core->threads.nr, 2);
	for (size_t i = 0; i < 2; i++) {
		const struct thread *before = &target->threads.items[i];
		const struct thread *after = &core->threads.items[i];
		assert_int_equal(after->tid, before->tid);
		assert_int_equal(after->pc, before->pc);
		assert_int_equal(after->sp, before->sp);
		assert_int_equal(after->nr_words, before->nr_words);
		assert_memory_equal(after->words, before->words,
				    before->nr_words * sizeof(uint64_t));
	}
	assert_int_equal(core->modules.nr, 1);
	assert_string_equal(core->modules.items[0].path, "/bin/program");
	assert_int_equal(core->modules.items[0].start, 0x10000);
	assert_int_equal(core->modules.items[0].end, 0x15000);
	target_destroy(core);
	target_destroy(target);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(memory_comes_back),
		cmocka_unit_test(nothing_is_made_up),
		cmocka_unit_test(extents_come_back),
		cmocka_unit_test(threads_and_names_come_back),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
