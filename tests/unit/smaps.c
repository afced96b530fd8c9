/* Tests of vma: what the kernel writes, texts that make no sense, and what mappings are for. */
#include "vma/account.h"
#include "vma/family.h"
#include "vma/swap.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/cleanup.h"

#define KIB 1024u

static struct vma_vec parse(const char *text)
{
	struct vma_vec vmas = { 0 };
	struct error *error = smaps_parse(text, strlen(text), "smaps", &vmas);
	if (error)
		fail_msg("%s", error->sentence);
	return vmas;
}

static void reads_sizes_and_flags(void **state)
{
	(void)state;
	struct vma_vec vmas = parse("1000-3000 rw-p 00000000 00:00 0      [heap]\n"
				    "Size:                  8 kB\n"
				    "Rss:                   4 kB\n"
				    "Pss_Dirty:             3 kB\n"
				    "SomethingNew:         77 kB\n"
				    "THPeligible:           0\n"
				    "ProtectionKey:         0\n"
				    "VmFlags: rd wr mr ht io ac \n"
				    "3000-4000 r--p 00000000 08:01 5      /a b: c\n"
				    "Rss:                   0 kB\n");
	assert_int_equal(vmas.nr, 2);
	const struct vma *heap = &vmas.items[0];
	assert_int_equal(heap->counts.bytes[VMA_SIZE], 8 * KIB);
	assert_int_equal(heap->counts.bytes[VMA_RSS], 4 * KIB);
	assert_int_equal(heap->counts.bytes[VMA_PSS_DIRTY], 3 * KIB);
	assert_int_equal(heap->counts.known,
			 1 << VMA_SIZE | 1 << VMA_RSS | 1 << VMA_PSS_DIRTY);
	assert_int_equal(heap->flags, VMA_HAS_FLAGS | VMA_IS_HUGETLB | VMA_IS_DEVICE |
					      VMA_WAS_WRITABLE);
	assert_string_equal(vmas.items[1].region.name, "/a b: c");
	assert_int_equal(vmas.items[1].flags, 0);
	struct vma_counts sum;
	vma_counts_sum(&vmas, &sum);
	assert_int_equal(sum.known, 1 << VMA_RSS);
	assert_int_equal(sum.bytes[VMA_RSS], 4 * KIB);
	vmas_deinit(&vmas);
}

/* The kernel escapes a newline in a file's name; what it may add is passed over. */
static void names_and_fields_may_be_anything(void **state)
{
	(void)state;
	char text[9000];
	char name[4001];
	memset(name, 'n', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	snprintf(text, sizeof(text),
		 "1000-2000 rw-p 00000000 08:01 5 /a\\012Rss: 9 kB (deleted)\n"
		 "Future_Thing: some words\n"
		 "Rss: 1801439850948197 kB\n"
		 "2000-3000 rw-p 00000000 08:01 6 /%s\n"
		 "Rss: 4 kB\n",
		 name);
	struct vma_vec vmas = parse(text);
	assert_int_equal(vmas.nr, 2);
	assert_int_equal(vmas.items[0].counts.bytes[VMA_RSS], 1801439850948197 * KIB);
	assert_non_null(strstr(vmas.items[0].region.name, "Rss: 9 kB"));
	assert_int_equal(strlen(vmas.items[1].region.name), 4001);
	assert_int_equal(vmas.items[1].counts.bytes[VMA_RSS], 4 * KIB);
	vmas_deinit(&vmas);
}

static void what_makes_no_sense_is_refused(void **state)
{
	(void)state;
	static const char *const texts[] = {
		"\n",
		"Rss: 4 kB\n",
		"1000-2000 rw-p 0 0:0 0 \nRss: kB\n",
		"1000-2000 rw-p 0 0:0 0 \nRss: 4\n",
		"1000-2000 rw-p 0 0:0 0 \nRss: 4 MB\n",
		"1000-2000 rw-p 0 0:0 0 \nRss: -4 kB\n",
		"1000-2000 rw-p 0 0:0 0 \nRss: 4 kBx\n",
		"1000-2000 rw-p 0 0:0 0 \nRss: 18014398509481984 kB\n",
		"1000-2000 rw-p 0 0:0 0 \nRss: 99999999999999999999999 kB\n",
		"1000-2000 rw-p 0 0:0 0 \nRss 4 kB\n",
		"1000-2000 rw-p 0 0:0 0 \n: 4 kB\n",
		"1000-2000 rw-p 0 0:0 0 \n\n",
		"2000-1000 rw-p 0 0:0 0 \n",
		"1000-2000 rw-p 0 0:0 0 \n1000-2000 rw-p 0 0:0 0 \n",
		"1000-2000 rw-p 0 0:0\n",
	};
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		struct vma_vec vmas = { 0 };
		struct error *error =
			smaps_parse(texts[i], strlen(texts[i]), "smaps", &vmas);
		if (!error)
			fail_msg("was taken for an account: %s", texts[i]);
		assert_int_equal(error->code, ERROR_FORMAT);
		assert_non_null(strstr(error->sentence, "smaps: line "));
		error_destroy(error);
		vmas_deinit(&vmas);
	}
}

/* The text need not end in NUL: nothing past `size` counts. */
static void stays_within_its_size(void **state)
{
	(void)state;
	static const char text[] = "1000-2000 rw-p 00000000 00:00 0 [heap]\nRss:  4 kB\n"
				   "VmFlags: rd wr ht\n";
	for (size_t size = 0; size < sizeof(text); size++) {
		CLEANUP_FREE char *copy = malloc(size ? size : 1);
		assert_non_null(copy);
		memcpy(copy, text, size);
		struct vma_vec vmas = { 0 };
		error_destroy(smaps_parse(copy, size, "smaps", &vmas));
		vmas_deinit(&vmas);
		struct vma_device_vec devices = { 0 };
		error_destroy(vma_memory_devices(copy, size, &devices));
		vma_device_vec_deinit(&devices);
	}
}

static void a_rollup_is_one(void **state)
{
	(void)state;
	static const char one[] =
		"1000-9000 ---p 00000000 00:00 0    [rollup]\nRss: 4 kB\n";
	static const char two[] = "1000-2000 ---p 0 0:0 0 \n2000-3000 ---p 0 0:0 0 \n";
	struct vma_counts counts;
	struct error *error = smaps_parse_rollup(one, strlen(one), "rollup", &counts);
	assert_null(error);
	assert_int_equal(counts.bytes[VMA_RSS], 4 * KIB);
	error = smaps_parse_rollup(two, strlen(two), "rollup", &counts);
	assert_non_null(error);
	error_destroy(error);
	error = smaps_parse_rollup("", 0, "rollup", &counts);
	assert_non_null(error);
	error_destroy(error);
}

static void finds_fields(void **state)
{
	(void)state;
	uint64_t number = 0;
	static const char text[] =
		"Name:\tVmPTE: 3 kB\nVmPTE:\t      44 kB\nThreads:\t7\n";
	assert_true(vma_field(text, "VmPTE", &number));
	assert_int_equal(number, 44);
	assert_true(vma_field(text, "Threads", &number));
	assert_int_equal(number, 7);
	assert_false(vma_field(text, "Thread", &number));
	assert_false(vma_field("Threads:\n", "Threads", &number));
	assert_false(vma_field("", "Threads", &number));
}

/* --- kinds -------------------------------------------------------------------------- */

static enum vma_kind kind_of(const char *line, const struct vma_device_vec *devices)
{
	struct vma_vec vmas = parse(line);
	struct target target = { 0 };
	const struct vma_hint_vec none = { 0 };
	const struct vma_device_vec no_devices = { 0 };
	const struct vma_surroundings surroundings = {
		.target = &target,
		.hints = &none,
		.devices = devices ? devices : &no_devices,
	};
	enum vma_kind kind = vma_kind_of(&vmas, 0, &surroundings);
	vmas_deinit(&vmas);
	return kind;
}

static void names_tell_kinds(void **state)
{
	(void)state;
	static const struct {
		const char *line;
		enum vma_kind kind;
	} cases[] = {
		{ "1000-2000 rw-p 0 00:00 0 [heap]\n", VMA_HEAP },
		{ "1000-2000 rw-p 0 00:00 0 [stack]\n", VMA_STACK },
		{ "1000-2000 rw-p 0 00:00 0 [anon:a pool]\n", VMA_NAMED },
		{ "1000-2000 r-xp 0 00:00 0 [vdso]\n", VMA_KERNEL },
		{ "1000-2000 rw-p 0 00:00 0 \n", VMA_ANONYMOUS_MEMORY },
		{ "1000-2000 ---p 0 00:00 0 \n", VMA_RESERVED },
		{ "1000-2000 rw-s 0 00:01 9 /memfd:x (deleted)\n", VMA_SHARED_MEMORY },
		{ "1000-2000 rw-s 0 00:01 9 /SYSV00000000 (deleted)\n",
		  VMA_SHARED_MEMORY },
		{ "1000-2000 rw-s 0 00:01 9 /dev/zero (deleted)\n", VMA_SHARED_MEMORY },
		{ "1000-2000 rw-s 0 00:05 9 /dev/dri/card0\n", VMA_DEVICE },
		{ "1000-2000 rw-s 0 00:05 9 /dmabuf:x\n", VMA_DEVICE },
		{ "1000-2000 rw-s 0 08:01 9 /data/file\n", VMA_FILE },
		{ "1000-2000 rw-p 0 08:01 9 /data/file\nVmFlags: rd ht\n", VMA_HUGETLB },
		{ "1000-2000 rw-s 0 08:01 9 /data/file\nVmFlags: rd pf\n", VMA_DEVICE },
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_int_equal(kind_of(cases[i].line, NULL), cases[i].kind);
}

static void file_systems_in_memory_are_shared_memory(void **state)
{
	(void)state;
	static const char mounts[] =
		"22 1 8:1 / / rw - ext4 /dev/sda rw\n"
		"36 35 0:42 / /my\\040tmp rw,nosuid shared:1 - tmpfs tmpfs rw\n"
		"37 35 0:43 / /b rw - ramfs ramfs rw\n"
		"38 35 0:44 / /c rw - tmpfsx x rw\n"
		"39 35 x:44 / /c rw - tmpfs x rw\n"
		"40 35 4294967296:1 / /c rw - tmpfs x rw\n"
		"nonsense\n41 35\n";
	struct vma_device_vec devices = { 0 };
	struct error *error = vma_memory_devices(mounts, strlen(mounts), &devices);
	assert_null(error);
	assert_int_equal(devices.nr, 2);
	assert_int_equal(kind_of("1000-2000 rw-s 0 00:2a 9 /my tmp/x\n", &devices),
			 VMA_SHARED_MEMORY);
	assert_int_equal(kind_of("1000-2000 rw-s 0 00:2c 9 /c/x\n", &devices), VMA_FILE);
	vma_device_vec_deinit(&devices);
}

static void the_largest_part_decides(void **state)
{
	(void)state;
	struct vma_vec vmas = parse("1000-2000 ---p 0 00:00 0 \n"
				    "2000-9000 rw-p 0 00:00 0 \n");
	struct target target = { 0 };
	struct vma_hint hints[] = {
		{ 0x1000, 0x4000, VMA_ARENA },
		{ 0x5000, 0x8000, VMA_THREAD_STACK },
	};
	const struct vma_hint_vec list = { .items = hints, .nr = ARRAY_SIZE(hints) };
	const struct vma_device_vec no_devices = { 0 };
	const struct vma_surroundings surroundings = { &target, &list, &no_devices };
	assert_int_equal(vma_kind_of(&vmas, 1, &surroundings), VMA_THREAD_STACK);
	assert_int_equal(vma_kind_of(&vmas, 0, &surroundings), VMA_GUARD);
	vmas_deinit(&vmas);
}

static void hints_are_put_in_order(void **state)
{
	(void)state;
	struct vma_hint_vec hints = { 0 };
	const struct vma_hint unordered[] = {
		{ 0x9000, 0xa000, VMA_MAPPED },
		{ 0x1000, 0x5000, VMA_HEAP },
		{ 0x2000, 0x3000,
		  VMA_ARENA }, /* inside of another: nothing is left of it */
		{ 0x4000, 0x8000, VMA_THREAD_STACK },
	};
	for (size_t i = 0; i < ARRAY_SIZE(unordered); i++)
		assert_true(vma_hint_vec_push(&hints, unordered[i]));
	vma_hints_sort(&hints);
	assert_int_equal(hints.nr, 3);
	assert_int_equal(hints.items[0].end, 0x5000);
	assert_int_equal(hints.items[1].start, 0x5000);
	assert_int_equal(hints.items[1].end, 0x8000);
	assert_int_equal(hints.items[2].kind, VMA_MAPPED);
	vma_hint_vec_deinit(&hints);
	vma_hints_sort(&hints);
	assert_int_equal(hints.nr, 0);
}

/* --- swap and families -------------------------------------------------------------- */

static void compression_is_estimated(void **state)
{
	(void)state;
	struct vma_swap swap = { 0 };
	uint64_t compressed = 1, memory = 1;
	vma_swap_estimate(&swap, 1000, &compressed, &memory);
	assert_int_equal(compressed + memory, 0);
	vma_swap_add_meminfo(&swap,
			     "SwapTotal: 1000 kB\nSwapFree: 200 kB\nZswap: 100 kB\n"
			     "Zswapped: 400 kB\n");
	assert_int_equal(swap.used_bytes, 800 * KIB);
	assert_string_equal(swap.where, "zswap");
	vma_swap_estimate(&swap, 80000, &compressed, &memory);
	assert_int_equal(compressed, 40000);
	assert_int_equal(memory, 10000);
	assert_true(vma_swap_add_zram(&swap, "4096000 1000 2000 0 0 0 0 0 0\n"));
	assert_string_equal(swap.where, "zswap and zram");
	vma_swap_estimate(&swap, 80000, &compressed, &memory);
	assert_int_equal(compressed, 80000);
	assert_false(vma_swap_add_zram(&swap, "x"));
	assert_false(vma_swap_add_zram(&swap, "1 2"));
}

static void finds_descendants(void **state)
{
	(void)state;
	struct family_vec family = { 0 };
	pid_t child = fork();
	if (!child) {
		pause();
		_exit(0);
	}
	assert_true(family_vec_push(&family, getpid()));
	struct error *error = family_add_descendants(&family);
	assert_null(error);
	bool found = false;
	for (size_t i = 1; i < family.nr; i++)
		found |= family.items[i] == child;
	assert_true(found);
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	family_vec_deinit(&family);
}

static void reads_our_own(void **state)
{
	(void)state;
	struct vma_account account = { 0 };
	struct error *error = vma_account_read(getpid(), 0, &account);
	if (error)
		fail_msg("%s", error->sentence);
	struct vma_counts sum;
	vma_counts_sum(&account.vmas, &sum);
	assert_true(vma_knows(&sum, VMA_RSS) && sum.bytes[VMA_RSS] > 0);
	assert_true(account.page_table_bytes > 0 && account.nr_threads >= 1);
	vma_account_deinit(&account);
	account = (struct vma_account){ 0 };
	error = vma_account_read(getpid(), 1, &account);
	assert_non_null(error);
	assert_int_equal(error->code, ERROR_BUDGET);
	error_destroy(error);
	vma_account_deinit(&account);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_sizes_and_flags),
		cmocka_unit_test(names_and_fields_may_be_anything),
		cmocka_unit_test(what_makes_no_sense_is_refused),
		cmocka_unit_test(stays_within_its_size),
		cmocka_unit_test(a_rollup_is_one),
		cmocka_unit_test(finds_fields),
		cmocka_unit_test(names_tell_kinds),
		cmocka_unit_test(hints_are_put_in_order),
		cmocka_unit_test(file_systems_in_memory_are_shared_memory),
		cmocka_unit_test(the_largest_part_decides),
		cmocka_unit_test(compression_is_estimated),
		cmocka_unit_test(finds_descendants),
		cmocka_unit_test(reads_our_own),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
