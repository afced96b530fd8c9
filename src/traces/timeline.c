/* timeline: see timeline.h. */
#include "traces/timeline.h"

static struct timeline_point joined(struct timeline_point one,
				    struct timeline_point other)
{
	return (struct timeline_point){
		.peak_bytes = one.peak_bytes > other.peak_bytes ? one.peak_bytes
								: other.peak_bytes,
		.allocations = one.allocations + other.allocations,
	};
}

/* Steps become twice as wide, and half as many. */
static void widen(struct timeline *timeline)
{
	for (size_t i = 0; i < TIMELINE_POINTS / 2; i++)
		timeline->points[i] =
			joined(timeline->points[2 * i], timeline->points[2 * i + 1]);
	timeline->nr = TIMELINE_POINTS / 2;
	timeline->width_us *= 2;
}

void timeline_begin(struct timeline *timeline, uint64_t start_us)
{
	*timeline = (struct timeline){
		.start_us = start_us,
		.width_us = 1,
		.end_us = start_us + 1,
	};
}

void timeline_advance_far(struct timeline *timeline, uint64_t time_us,
			  uint64_t live_bytes)
{
	while (time_us >= timeline->end_us) {
		if (timeline->nr == TIMELINE_POINTS)
			widen(timeline);
		timeline->points[timeline->nr++] = timeline->now;
		timeline->now = (struct timeline_point){ 0 };
		timeline_peak(timeline, live_bytes);
		timeline->end_us =
			timeline->start_us + (timeline->nr + 1) * timeline->width_us;
	}
}

void timeline_end(struct timeline *timeline)
{
	if (timeline->nr == TIMELINE_POINTS)
		widen(timeline);
	timeline->points[timeline->nr++] = timeline->now;
}
