/* The array of kept and new frames. */
#include "unwind/frames.h"

#include <string.h>

#include "raw/pages.h"

void frames_init(struct frames *frames, void *memory, size_t bytes)
{
	*frames = (struct frames){
		.array = memory,
		.room = bytes / sizeof(struct frame),
	};
}

void frames_deinit(struct frames *frames)
{
	if (frames->mapped_bytes)
		pages_unmap(frames->array, frames->mapped_bytes);
}

bool frames_grow(struct frames *frames)
{
	struct frames old = *frames;
	size_t room = 2 * old.room;
	size_t bytes = room * sizeof(struct frame);
	struct frame *array = pages_map(bytes);
	if (!array)
		return false;
	memcpy(array, old.array, old.nr_true * sizeof(*array));
	/* With the one that is to come next. */
	size_t nr_last = old.nr_new + 1;
	memcpy(array + room - nr_last, old.array + old.room - nr_last,
	       nr_last * sizeof(*array));
	frames->nr_kept = old.nr_true;
	frames->array = array;
	frames->room = room;
	frames->mapped_bytes = bytes;
	frames_deinit(&old);
	return true;
}

struct frame *frames_begin(struct frames *frames)
{
	frames->nr_new = 0;
	frames->nr_true = frames->nr_kept;
	struct frame *first = frames_next(frames);
	if (first)
		return first;
	frames_drop(frames);
	return frames_next(frames);
}

static uint64_t later(uint64_t end, const struct frame *frame, int32_t slot)
{
	uint64_t other = frame->sp + (uint64_t)(int64_t)slot + sizeof(uint64_t);
	return slot && other > end ? other : end;
}

static uint64_t end_of_words(const struct frame *frame)
{
	uint64_t end = later(0, frame, frame->ra_slot);
	return later(later(end, frame, frame->bp_slot), frame, frame->sp_slot);
}

void frames_join(struct frames *frames, size_t nr_met)
{
	struct frame *first = frames->array + nr_met;
	size_t nr_new = frames->nr_new;
	memmove(first, frames->array + frames->room - nr_new, nr_new * sizeof(*first));
	uint64_t top = nr_met ? frames->top : 0;
	/* The one that was met has other words now. */
	for (size_t i = nr_met ? nr_met - 1 : 0; i < nr_met + nr_new; i++) {
		uint64_t end = end_of_words(&frames->array[i]);
		top = end > top ? end : top;
	}
	frames->top = top;
	frames->nr_kept = nr_met + nr_new;
	frames->nr_true = 0;
	frames->nr_new = 0;
}
