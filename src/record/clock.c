/* clock: see clock.h. */
#include "record/clock.h"

#include <time.h>

#include "wire/event.h"

static uint64_t now_ns(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

void record_clock_start(struct record_clock *clock)
{
	*clock = (struct record_clock){ .to_ticks = event_now(), .to_ns = now_ns() };
	clock->start_ticks = clock->from_ticks = clock->to_ticks;
	clock->start_ns = clock->from_ns = clock->to_ns;
}

void record_clock_read(struct record_clock *clock)
{
	uint64_t ticks = event_now(), ns = now_ns();
	if (ticks <= clock->to_ticks)
		return;
	clock->from_ticks = clock->to_ticks;
	clock->from_ns = clock->to_ns;
	clock->to_ticks = ticks;
	clock->to_ns = ns;
	uint64_t passed = ticks - clock->from_ticks;
	clock->scale = (uint64_t)(((unsigned __int128)(ns - clock->from_ns)
				   << CLOCK_SCALE_BITS) /
				  passed);
	if (ns > clock->start_ns)
		clock->ticks_per_ms =
			(uint64_t)((unsigned __int128)1000000 *
				   (ticks - clock->start_ticks) / (ns - clock->start_ns));
}
