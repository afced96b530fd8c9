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

void frames_join(struct frames *frames, size_t nr_met)
{
	memmove(frames->array + nr_met, frames->array + frames->room - frames->nr_new,
		frames->nr_new * sizeof(struct frame));
	frames->nr_kept = nr_met + frames->nr_new;
	frames->nr_true = 0;
	frames->nr_new = 0;
}
