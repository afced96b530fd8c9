/*
 * frames: the frames of a thread's last stack, outermost first, and those of the stack that is
 * being walked, which come innermost first.
 *
 * Both are in one array: the kept ones at its start, the new ones from its end on downwards, so
 * that both lie in the same order, and new ones need but be moved behind those kept ones that
 * they met.
 */
#ifndef SEEP_UNWIND_FRAMES_H
#define SEEP_UNWIND_FRAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * A frame's own pc (rule.h), sp and bp, and where in memory they were found: at sp plus an
 * offset. No more than these words, the callee's registers and the callee's rule made them, so
 * they hold for as long as these do. 0: not from memory. If ra_slot is 0, they came in another
 * way, of which nothing is known.
 */
struct frame {
	uint64_t pc, sp, bp;
	int32_t ra_slot, bp_slot, sp_slot;
	uint32_t node;
};

struct frames {
	struct frame *array;
	size_t room;
	size_t nr_kept;
	size_t nr_true; /* of them, whose words were found unchanged */
	size_t nr_new;
	uint64_t top;        /* the words of the kept ones end here or before */
	size_t mapped_bytes; /* 0: the array is the first one, which is the caller's */
};

/* The first array lies in the caller's memory. */
void frames_init(struct frames *frames, void *memory, size_t bytes);
void frames_deinit(struct frames *frames);

static inline void frames_drop(struct frames *frames)
{
	frames->nr_kept = frames->nr_true = 0;
}

/* Twice the room; false: no memory. */
bool frames_grow(struct frames *frames);

/* The place of the first new frame. */
struct frame *frames_begin(struct frames *frames);

/* The frame that is there becomes a new one; there is a place before it. */
static inline void frames_push(struct frames *frames)
{
	frames->nr_new++;
}

/* The place of the next new frame, with another one before it; NULL: no memory. */
static inline struct frame *frames_next(struct frames *frames)
{
	if (frames->nr_true + frames->nr_new + 2 > frames->room && !frames_grow(frames))
		return NULL;
	return &frames->array[frames->room - frames->nr_new - 1];
}

/* Keeps the outermost `nr_met` of the kept frames and the new ones; they follow each other. */
void frames_join(struct frames *frames, size_t nr_met);

#endif
