/* Tests of graph/scan: every implementation that runs here finds just what a plain loop does. */
#include "graph/scan.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/hash.h"

enum { WORDS = 1000, ROOM = WORDS + 8 };

static uint64_t seed;

static uint64_t random_word(void)
{
	return hash_mix(++seed);
}

static bool in_range(const struct scan_ranges *ranges, uint64_t word)
{
	for (size_t i = 0; i < 2; i++)
		if (word >= ranges->start[i] &&
		    (unsigned __int128)word <
			    (unsigned __int128)ranges->start[i] + ranges->size[i])
			return true;
	return false;
}

static void check_with(size_t implementation, const struct scan_ranges *ranges,
		       const uint64_t *words, size_t nr)
{
	static uint32_t indices[ROOM];
	static uint64_t values[ROOM];
	size_t nr_found =
		scan_words_with(implementation, ranges, words, nr, indices, values);
	size_t at = 0;
	for (size_t i = 0; i < nr; i++) {
		if (!in_range(ranges, words[i]))
			continue;
		if (at >= nr_found || indices[at] != i || values[at] != words[i])
			fail_msg("%s misses word %zu of %zu (%#lx)",
				 scan_name(implementation), i, nr,
				 (unsigned long)words[i]);
		at++;
	}
	if (at != nr_found)
		fail_msg("%s finds %zu words, not %zu", scan_name(implementation),
			 nr_found, at);
}

static void check(const struct scan_ranges *ranges, const uint64_t *words, size_t nr)
{
	for (size_t i = 0; scan_name(i); i++)
		if (scan_supported(i))
			check_with(i, ranges, words, nr);
}

/* A word in, at, or near the edges of a range, or anywhere. */
static uint64_t choose_word(const struct scan_ranges *ranges)
{
	size_t i = random_word() % 2;
	uint64_t start = ranges->start[i], size = ranges->size[i];
	switch (random_word() % 8) {
	case 0:
		return start;
	case 1:
		return start - 1;
	case 2:
		return start + size;
	case 3:
		return start + size - 1;
	case 4:
		return 0;
	case 5:
		return random_word();
	default:
		return size ? start + random_word() % size : start;
	}
}

static void the_first_supported_one_is_used(void **state)
{
	(void)state;
	size_t i = 0;
	while (!scan_supported(i))
		i++;
	assert_string_equal(scan_implementation(), scan_name(i));
	while (scan_name(i))
		i++;
	assert_string_equal(scan_name(i - 1), "scalar");
	assert_true(scan_supported(i - 1));
}

static void all_agree_at_every_length(void **state)
{
	(void)state;
	static const struct scan_ranges ranges = {
		.start = { 0x7f0000000000, 0x555500000000 },
		.size = { 0x10000000, 0x200000 },
	};
	static uint64_t words[WORDS];
	for (size_t nr = 0; nr <= 70; nr++) {
		for (unsigned trial = 0; trial < 20; trial++) {
			for (size_t i = 0; i < nr; i++)
				words[i] = choose_word(&ranges);
			check(&ranges, words, nr);
		}
	}
}

static void all_agree_on_all_and_nothing(void **state)
{
	(void)state;
	static const struct scan_ranges ranges = {
		.start = { 0x1000, 0x1000 },
		.size = { 0x1000, 0x1000 },
	};
	static uint64_t words[WORDS];
	for (size_t i = 0; i < WORDS; i++)
		words[i] = 0x1000 + i;
	check(&ranges, words, WORDS);
	memset(words, 0, sizeof(words));
	check(&ranges, words, WORDS);
	memset(words, 0xff, sizeof(words));
	check(&ranges, words, WORDS);
}

/* Ranges that are empty, touch, overlap, lie at either end or across the sign bit. */
static void all_agree_on_odd_ranges(void **state)
{
	(void)state;
	static const struct scan_ranges odd[] = {
		{ { 0, 0 }, { 0, 0 } },
		{ { 0, 0 }, { 1, 0 } },
		{ { 0x1000, 0x2000 }, { 0x1000, 0x1000 } },
		{ { 0x1000, 0x1800 }, { 0x1000, 0x1000 } },
		{ { 0, 0x8000000000000000 }, { 0x8000000000000000, 0x1000 } },
		{ { 0x7ffffffffffff000, 0 }, { 0x2000, 0x10 } },
		{ { 0xfffffffffffff000, 0xffffffffff000000 }, { 0x1000, 0x1000 } },
		{ { 0, 1 }, { UINT64_MAX, UINT64_MAX } },
	};
	static uint64_t words[WORDS];
	for (size_t r = 0; r < sizeof(odd) / sizeof(odd[0]); r++) {
		for (unsigned trial = 0; trial < 20; trial++) {
			for (size_t i = 0; i < WORDS; i++)
				words[i] = choose_word(&odd[r]);
			check(&odd[r], words, WORDS - trial);
		}
	}
}

static void all_agree_on_random_ranges(void **state)
{
	(void)state;
	static uint64_t words[WORDS];
	for (unsigned trial = 0; trial < 500; trial++) {
		struct scan_ranges ranges;
		for (size_t i = 0; i < 2; i++) {
			ranges.start[i] = random_word() >> random_word() % 64;
			ranges.size[i] = random_word() >> random_word() % 64;
			if (ranges.size[i] > -ranges.start[i] && ranges.start[i])
				ranges.size[i] = -ranges.start[i];
		}
		for (size_t i = 0; i < WORDS; i++)
			words[i] = choose_word(&ranges);
		check(&ranges, words, random_word() % (WORDS + 1));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_first_supported_one_is_used),
		cmocka_unit_test(all_agree_at_every_length),
		cmocka_unit_test(all_agree_on_all_and_nothing),
		cmocka_unit_test(all_agree_on_odd_ranges),
		cmocka_unit_test(all_agree_on_random_ranges),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
