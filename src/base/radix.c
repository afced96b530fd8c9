/* radix: see radix.h. From the lowest digit to the highest; digits that are the same everywhere are passed over. */
#include "base/radix.h"

#include <string.h>

#include "base/area.h"

#define DIGIT_BITS 11u
#define DIGITS     (1u << DIGIT_BITS)

static size_t digit_of(uint64_t number, unsigned shift)
{
	return (number >> shift) & (DIGITS - 1);
}

/* Where the numbers of each digit begin; false: they all have the same. */
static bool find_starts(const uint64_t *numbers, size_t nr, unsigned shift,
			size_t *starts)
{
	size_t sum = 0;
	memset(starts, 0, DIGITS * sizeof(*starts));
	for (size_t i = 0; i < nr; i++)
		starts[digit_of(numbers[i], shift)]++;
	if (starts[digit_of(numbers[0], shift)] == nr)
		return false;
	for (size_t digit = 0; digit < DIGITS; digit++) {
		size_t here = starts[digit];
		starts[digit] = sum;
		sum += here;
	}
	return true;
}

bool radix_sort(uint64_t *numbers, size_t nr, unsigned low)
{
	size_t starts[DIGITS];
	struct area other = { 0 };
	uint64_t *from = numbers;
	if (nr < 2)
		return true;
	if (!area_reserve(&other, nr * sizeof(*numbers)))
		return false;
	uint64_t *to = other.memory;
	for (unsigned shift = low; shift < 64; shift += DIGIT_BITS) {
		if (!find_starts(from, nr, shift, starts))
			continue;
		for (size_t i = 0; i < nr; i++)
			to[starts[digit_of(from[i], shift)]++] = from[i];
		uint64_t *swapped = from;
		from = to;
		to = swapped;
	}
	if (from != numbers)
		memcpy(numbers, from, nr * sizeof(*numbers));
	area_release(&other);
	return true;
}
