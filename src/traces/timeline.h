/*
 * timeline: how many bytes were live over time, in at most TIMELINE_POINTS steps.
 *
 * Steps begin at a microsecond each; when they would be too many, neighbours become one.
 */
#ifndef SEEP_TRACES_TIMELINE_H
#define SEEP_TRACES_TIMELINE_H

#include <stddef.h>
#include <stdint.h>

#define TIMELINE_POINTS 512u

struct timeline_point {
	uint64_t peak_bytes; /* the most that were live at a time in this step */
	uint64_t allocations;
};

/* A zeroed struct is empty. */
struct timeline {
	struct timeline_point points[TIMELINE_POINTS];
	size_t nr;                           /* steps that are over */
	uint64_t start_us, width_us, end_us; /* end of the step that is not */
	struct timeline_point now;           /* that step; the owner counts in it */
};

void timeline_begin(struct timeline *timeline, uint64_t start_us);

/* Ends the steps before a time, which is none before the one of the last call. */
void timeline_advance_far(struct timeline *timeline, uint64_t time_us, uint64_t bytes);

static inline void timeline_advance(struct timeline *timeline, uint64_t time_us,
				    uint64_t live_bytes)
{
	if (time_us >= timeline->end_us)
		timeline_advance_far(timeline, time_us, live_bytes);
}

/* So many live now; in a window that may be less than nothing, which is none here. */
static inline void timeline_peak(struct timeline *timeline, uint64_t live_bytes)
{
	if ((int64_t)live_bytes > (int64_t)timeline->now.peak_bytes)
		timeline->now.peak_bytes = live_bytes;
}

/* Takes the last step in as it is. */
void timeline_end(struct timeline *timeline);

#endif
