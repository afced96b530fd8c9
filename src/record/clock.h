/*
 * clock: microseconds since a recording began, of the ticks that events are stamped with.
 *
 * How fast ticks go is not asked of anybody: each round reads both clocks, and ticks between two
 * readings are where they stand between them.
 */
#ifndef SEEP_RECORD_CLOCK_H
#define SEEP_RECORD_CLOCK_H

#include <stdint.h>

struct record_clock {
	uint64_t start_ticks, start_ns;
	uint64_t from_ticks, from_ns; /* the reading before the last */
	uint64_t to_ticks, to_ns;     /* the last */
	uint64_t scale;               /* nanoseconds of 2^CLOCK_SCALE_BITS ticks */
	uint64_t ticks_per_ms;        /* since the start; 0: not read yet */
};

#define CLOCK_SCALE_BITS 24

/* Time 0 is now. */
void record_clock_start(struct record_clock *clock);
/* Reads both clocks. What follows is about ticks of about now. */
void record_clock_read(struct record_clock *clock);

/* Ticks of before the readings are of the first of them, those of after it of the last. */
static inline uint64_t record_clock_us(const struct record_clock *clock, uint64_t ticks)
{
	if (ticks <= clock->from_ticks)
		return (clock->from_ns - clock->start_ns) / 1000;
	if (ticks >= clock->to_ticks)
		return (clock->to_ns - clock->start_ns) / 1000;
	unsigned __int128 passed =
		(unsigned __int128)(ticks - clock->from_ticks) * clock->scale;
	uint64_t ns = clock->from_ns + (uint64_t)(passed >> CLOCK_SCALE_BITS);
	return (ns - clock->start_ns) / 1000;
}

/* How many ticks take so long: less than a second. */
static inline uint64_t record_clock_ticks(const struct record_clock *clock, uint64_t ns)
{
	return clock->ticks_per_ms * ns / 1000000;
}

#endif
