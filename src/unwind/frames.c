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
	memcpy(array + room - old.nr_new, old.array + old.room - old.nr_new,
	       old.nr_new * sizeof(*array));
	frames->nr_kept = old.nr_true;
	frames->array = array;
	frames->room = room;
	frames->mapped_bytes = bytes;
	frames_deinit(&old);
	return true;
}

void frames_join(struct frames *frames, size_t nr_met)
{
	memmove(frames->array + nr_met, frames->array + frames->room - frames->nr_new,
		frames->nr_new * sizeof(struct frame));
	frames->nr_kept = nr_met + frames->nr_new;
	frames->nr_true = 0;
	frames->nr_new = 0;
}
