/*
 * radix: see radix.h. From the lowest digit to the highest; digits that are the same everywhere are passed over. Two
 * threads each count and move one half of the numbers, the first half's before the second's of the same digit.
 */
#include "base/radix.h"

#include <string.h>

#include "base/area.h"
#include "base/beside.h"

#define DIGIT_BITS 11u
#define DIGITS     (1u << DIGIT_BITS)
/* Fewer are not worth a thread. */
#define WORTH_A_THREAD 100000u

/* One half. */
struct half {
	const uint64_t *from;
	uint64_t *to;
	size_t nr;
	unsigned shift;
	size_t places[DIGITS]; /* how many of each digit; then where the next one goes */
};

static size_t digit_of(uint64_t number, unsigned shift)
{
	return (number >> shift) & (DIGITS - 1);
}

static void count(void *context)
{
	struct half *half = context;
	memset(half->places, 0, sizeof(half->places));
	for (size_t i = 0; i < half->nr; i++)
		half->places[digit_of(half->from[i], half->shift)]++;
}

static void move(void *context)
{
	struct half *half = context;
	for (size_t i = 0; i < half->nr; i++)
		half->to[half->places[digit_of(half->from[i], half->shift)]++] =
			half->from[i];
}

static void both(void (*work)(void *context), struct half halves[2])
{
	struct beside beside;
	const bool is_worth_it = halves[0].nr >= WORTH_A_THREAD;
	if (is_worth_it)
		beside_start(&beside, work, &halves[1]);
	work(&halves[0]);
	if (is_worth_it)
		beside_finish(&beside);
	else
		work(&halves[1]);
}

/* Where the numbers of each digit begin; false: they all have the same. */
static bool find_places(struct half halves[2], size_t nr)
{
	size_t sum = 0;
	for (size_t digit = 0; digit < DIGITS; digit++) {
		size_t first = halves[0].places[digit];
		size_t second = halves[1].places[digit];
		if (first + second == nr)
			return false;
		halves[0].places[digit] = sum;
		halves[1].places[digit] = sum + first;
		sum += first + second;
	}
	return true;
}

static void set_halves(struct half halves[2], uint64_t *from, uint64_t *to, size_t nr,
		       unsigned shift)
{
	for (size_t i = 0; i < 2; i++) {
		halves[i].from = from + (i ? nr / 2 : 0);
		halves[i].to = to;
		halves[i].nr = i ? nr - nr / 2 : nr / 2;
		halves[i].shift = shift;
	}
}

bool radix_sort(uint64_t *numbers, size_t nr, unsigned low)
{
	struct half halves[2];
	struct area other = { 0 };
	uint64_t *from = numbers;
	if (nr < 2)
		return true;
	if (!area_reserve(&other, nr * sizeof(*numbers)))
		return false;
	uint64_t *to = other.memory;
	for (unsigned shift = low; shift < 64; shift += DIGIT_BITS) {
		set_halves(halves, from, to, nr, shift);
		both(count, halves);
		if (!find_places(halves, nr))
			continue;
		both(move, halves);
		uint64_t *swapped = from;
		from = to;
		to = swapped;
	}
	if (from != numbers)
		memcpy(numbers, from, nr * sizeof(*numbers));
	area_release(&other);
	return true;
}
