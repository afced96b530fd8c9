/* Tests of base/hash: fingerprints stay what they were; the mixer loses nothing. */
#include "base/hash.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* Published FNV-1a values: http://www.isthe.com/chongo/tech/comp/fnv/ */
static void bytes_are_fnv1a(void **state)
{
	(void)state;
	assert_int_equal(hash_bytes(HASH_SEED, "", 0), 0xcbf29ce484222325u);
	assert_int_equal(hash_bytes(HASH_SEED, "a", 1), 0xaf63dc4c8601ec8cu);
	assert_int_equal(hash_bytes(HASH_SEED, "foobar", 6), 0x85944171f73967e8u);
}

static void bytes_can_be_fed_in_parts(void **state)
{
	(void)state;
	uint64_t whole = hash_bytes(HASH_SEED, "foobar", 6);
	uint64_t part = hash_bytes(HASH_SEED, "foo", 3);
	assert_int_equal(hash_bytes(part, "bar", 3), whole);
}

static void mix_spreads_neighbours(void **state)
{
	(void)state;
	assert_int_equal(hash_mix(0), 0);
	for (uint64_t value = 0; value < 1000; value++) {
		uint64_t changed = hash_mix(value) ^ hash_mix(value + 1);
		int bits = __builtin_popcountll(changed);
		assert_in_range(bits, 8, 56);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bytes_are_fnv1a),
		cmocka_unit_test(bytes_can_be_fed_in_parts),
		cmocka_unit_test(mix_spreads_neighbours),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
