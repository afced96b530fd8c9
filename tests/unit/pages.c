/* Tests of target/pages: this process' own pages, by both ways of asking the kernel. */
#include "target/pages.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/cleanup.h"

#define PAGE 4096u

static struct extent_vec scan(int fd, unsigned flags, uint64_t start, uint64_t end)
{
	struct region region = { .start = start, .end = end, .flags = flags };
	struct extent_vec extents = { 0 };
	struct error *error = pages_scan(fd, &region, start, end, &extents);
	if (error)
		fail_msg("%s", error->sentence);
	return extents;
}

static void assert_extent(const struct extent_vec *extents, size_t i, uint64_t start,
			  uint64_t end, bool swapped)
{
	assert_true(i < extents->nr);
	assert_int_equal(extents->items[i].start, start);
	assert_int_equal(extents->items[i].end, end);
	assert_int_equal(extents->items[i].swapped, swapped);
}

static int pagemap(void)
{
	int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	return fd;
}

static char *map(size_t nr_pages, int flags, int fd)
{
	char *memory = mmap(NULL, nr_pages * PAGE, PROT_READ | PROT_WRITE, flags, fd, 0);
	assert_ptr_not_equal(memory, MAP_FAILED);
	madvise(memory, nr_pages * PAGE, MADV_NOHUGEPAGE);
	return memory;
}

static void only_pages_that_were_written_count(void **state)
{
	(void)state;
	CLEANUP_CLOSE int fd = pagemap();
	char *memory = map(64, MAP_PRIVATE | MAP_ANONYMOUS, -1);
	uint64_t start = (uintptr_t)memory;
	memory[3 * PAGE] = memory[4 * PAGE] = memory[10 * PAGE] = 1;
	/* Reading maps the zero page, which holds nothing. */
	assert_int_equal(((volatile char *)memory)[20 * PAGE], 0);
	struct extent_vec extents =
		scan(fd, REGION_READ | REGION_WRITE, start, start + 64 * PAGE);
	/* The pagemap file alone does not tell the zero page from others. */
	assert_int_equal(extents.nr, pages_can_scan() ? 2 : 3);
	assert_extent(&extents, 0, start + 3 * PAGE, start + 5 * PAGE, false);
	assert_extent(&extents, 1, start + 10 * PAGE, start + 11 * PAGE, false);
	extent_vec_deinit(&extents);
	munmap(memory, (size_t)64 * PAGE);
}

static void nothing_written_is_no_extent(void **state)
{
	(void)state;
	CLEANUP_CLOSE int fd = pagemap();
	char *memory = map(16, MAP_PRIVATE | MAP_ANONYMOUS, -1);
	uint64_t start = (uintptr_t)memory;
	struct extent_vec extents = scan(fd, REGION_READ, start, start + 16 * PAGE);
	assert_int_equal(extents.nr, 0);
	extents = scan(fd, REGION_READ, start, start);
	assert_int_equal(extents.nr, 0);
	munmap(memory, (size_t)16 * PAGE);
}

/* More runs than one call to the kernel returns. */
static void many_runs_are_all_found(void **state)
{
	(void)state;
	enum { NR = 3000 };
	CLEANUP_CLOSE int fd = pagemap();
	char *memory = map((size_t)2 * NR, MAP_PRIVATE | MAP_ANONYMOUS, -1);
	uint64_t start = (uintptr_t)memory;
	for (size_t i = 0; i < NR; i++)
		memory[2 * i * PAGE] = 1;
	struct extent_vec extents =
		scan(fd, REGION_READ, start, start + (uint64_t)2 * NR * PAGE);
	assert_int_equal(extents.nr, NR);
	for (size_t i = 0; i < NR; i++)
		assert_extent(&extents, i, start + 2 * i * PAGE,
			      start + (2 * i + 1) * PAGE, false);
	extent_vec_deinit(&extents);
	munmap(memory, (size_t)2 * NR * PAGE);
}

/* Of a private mapping of a file only what was written is the process' own; of a shared one
   all that is mapped. */
static void file_pages_count_where_they_are_ours(void **state)
{
	(void)state;
	char name[] = "/tmp/seep-pages-XXXXXX";
	CLEANUP_CLOSE int file = mkstemp(name);
	assert_true(file >= 0);
	unlink(name);
	assert_int_equal(ftruncate(file, (off_t)8 * PAGE), 0);
	CLEANUP_CLOSE int fd = pagemap();

	char *private = map(8, MAP_PRIVATE, file);
	for (unsigned i = 0; i < 8; i++)
		assert_int_equal(((volatile char *)private)[i * PAGE], 0);
	private[2 * PAGE] = 1;
	uint64_t start = (uintptr_t) private;
	struct extent_vec extents = scan(fd, REGION_READ, start, start + 8 * PAGE);
	assert_int_equal(extents.nr, 1);
	assert_extent(&extents, 0, start + 2 * PAGE, start + 3 * PAGE, false);
	extent_vec_deinit(&extents);
	munmap(private, (size_t)8 * PAGE);

	char *shared = map(8, MAP_SHARED, file);
	for (unsigned i = 4; i < 6; i++)
		shared[i * PAGE] = 1;
	start = (uintptr_t)shared;
	extents = scan(fd, REGION_READ | REGION_SHARED, start, start + 8 * PAGE);
	bool covered = false;
	for (size_t i = 0; i < extents.nr; i++)
		covered |= extents.items[i].start <= start + 4 * PAGE &&
			   extents.items[i].end >= start + 6 * PAGE;
	assert_true(covered);
	extent_vec_deinit(&extents);
	munmap(shared, (size_t)8 * PAGE);
}

/* --- older kernels: a file of pagemap entries, which knows no ioctl ------------------- */

#define PRESENT (1ull << 63)
#define SWAPPED (1ull << 62)
#define FILEPG  (1ull << 61)

static int file_of(const uint64_t *entries, size_t nr)
{
	int fd = memfd_create("pagemap", MFD_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, entries, nr * 8), (ssize_t)(nr * 8));
	return fd;
}

static void reads_entries_without_the_ioctl(void **state)
{
	(void)state;
	static const uint64_t entries[] = {
		0, PRESENT | 77,     PRESENT,           SWAPPED | 5, SWAPPED,
		0, PRESENT | FILEPG, PRESENT | SWAPPED, FILEPG,
	};
	uint64_t end = (uint64_t)ARRAY_SIZE(entries) * PAGE;
	CLEANUP_CLOSE int fd = file_of(entries, ARRAY_SIZE(entries));
	struct extent_vec extents = scan(fd, REGION_READ, 0, end);
	assert_int_equal(extents.nr, 3);
	assert_extent(&extents, 0, 1 * PAGE, 3 * PAGE, false);
	assert_extent(&extents, 1, 3 * PAGE, 5 * PAGE, true);
	assert_extent(&extents, 2, 7 * PAGE, 8 * PAGE, false);
	extent_vec_deinit(&extents);

	extents = scan(fd, REGION_READ | REGION_SHARED, 0, end);
	assert_int_equal(extents.nr, 3);
	assert_extent(&extents, 2, 6 * PAGE, 8 * PAGE, false);
	extent_vec_deinit(&extents);
}

/* More pages than one read takes, not starting at the first. */
static void reads_long_files_in_pieces(void **state)
{
	(void)state;
	enum { NR = 10000 };
	static uint64_t entries[NR];
	for (size_t i = 0; i < NR; i++)
		entries[i] = i % 5 == 3 ? PRESENT : 0;
	CLEANUP_CLOSE int fd = file_of(entries, NR);
	struct extent_vec extents =
		scan(fd, REGION_READ, (uint64_t)3 * PAGE, (uint64_t)NR * PAGE);
	assert_int_equal(extents.nr, NR / 5);
	for (size_t i = 0; i < extents.nr; i++)
		assert_extent(&extents, i, (5 * i + 3) * PAGE, (5 * i + 4) * PAGE, false);
	extent_vec_deinit(&extents);
}

static void an_end_before_its_time_is_an_error(void **state)
{
	(void)state;
	static const uint64_t entries[] = { PRESENT };
	CLEANUP_CLOSE int fd = file_of(entries, 1);
	struct region region = { .start = 0, .end = (uint64_t)2 * PAGE };
	struct extent_vec extents = { 0 };
	struct error *error = pages_scan(fd, &region, 0, region.end, &extents);
	assert_non_null(error);
	assert_int_equal(error->code, ERROR_READ);
	assert_non_null(strstr(error->sentence, "it has ended"));
	error_destroy(error);
	error = pages_scan(-1, &region, 0, region.end, &extents);
	assert_non_null(error);
	error_destroy(error);
	extent_vec_deinit(&extents);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_pages_that_were_written_count),
		cmocka_unit_test(nothing_written_is_no_extent),
		cmocka_unit_test(many_runs_are_all_found),
		cmocka_unit_test(file_pages_count_where_they_are_ours),
		cmocka_unit_test(reads_entries_without_the_ioctl),
		cmocka_unit_test(reads_long_files_in_pieces),
		cmocka_unit_test(an_end_before_its_time_is_an_error),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
