/* kept: see kept.h. The places lie in front of the array. */
#include "unwind/kept.h"

#include <string.h>

#include "raw/pages.h"

/* Stacks are not so deep that more frames would be met again often. */
#define ENOUGH 512u
/* Their numbers have 16 bits. */
#define MOST (UINT16_MAX - 1u)

static size_t nr_places(const struct kept_frames *frames)
{
	return (size_t)1 << (64 - frames->shift);
}

/* Of as many frames as fit, with places for twice as many or more. */
static void lay_out(struct kept_frames *frames, void *memory, size_t bytes)
{
	size_t room = bytes / (sizeof(struct kept) + 4 * sizeof(uint16_t));
	unsigned bits = 1;
	while ((size_t)1 << bits < 2 * room)
		bits++;
	frames->shift = 64 - bits;
	frames->places = memory;
	uintptr_t start = (uintptr_t)(frames->places + nr_places(frames));
	start = (start + sizeof(struct kept) - 1) & -sizeof(struct kept);
	frames->array = (struct kept *)start;
	size_t fitting = ((uintptr_t)memory + bytes - start) / sizeof(struct kept);
	frames->room = fitting < MOST ? (uint32_t)fitting : MOST;
	frames->nr = frames->deepest = 0;
}

void kept_init(struct kept_frames *frames, void *memory, size_t bytes)
{
	frames->mapped_bytes = 0;
	lay_out(frames, memory, bytes);
}

void kept_deinit(struct kept_frames *frames)
{
	if (frames->mapped_bytes)
		pages_unmap(frames->places, frames->mapped_bytes);
}

void kept_forget(struct kept_frames *frames)
{
	memset(frames->places, 0, nr_places(frames) * sizeof(*frames->places));
	frames->nr = frames->deepest = 0;
}

static bool grow(struct kept_frames *frames)
{
	if (frames->room >= MOST)
		return false;
	size_t bytes =
		2 * (size_t)frames->room * (sizeof(struct kept) + 4 * sizeof(uint16_t));
	void *memory = pages_map(bytes);
	if (!memory)
		return false;
	kept_deinit(frames);
	lay_out(frames, memory, bytes);
	frames->mapped_bytes = bytes;
	return true;
}

bool kept_make_room(struct kept_frames *frames)
{
	bool is_enough = frames->room >= ENOUGH && frames->room / 4 >= frames->deepest;
	if (frames->nr == 0 || !is_enough) {
		if (grow(frames))
			return true;
		if (frames->nr == 0)
			return false;
	}
	kept_forget(frames);
	return true;
}
