/*
 * kept: the frames of a thread's last stacks, found by their state (pc, sp, bp), each with the
 * frame that called it and with the words of memory that tell so.
 *
 * A step is a function of pc, sp, bp and of one to three words of memory; so is the rest of the
 * stack, from any state on. Hence: where a walk comes to the state of a kept frame, and all words
 * of that frame and of those that it leads to are what they were, the rest of the stack is what
 * it was. Nothing is assumed of what happened in between.
 *
 * New frames are put one behind the other, innermost first, so that most frames lie next to their
 * callers and the words of many are compared without a wait. They never change. When there is no room
 * all are forgotten.
 *
 * Only frames are kept whose words, and those of all that they lead to, lie on the thread's own stack:
 * from the innermost one's sp on they can be read for as long as the thread lives.
 */
#ifndef SEEP_UNWIND_KEPT_H
#define SEEP_UNWIND_KEPT_H

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>

#include "unwind/memory.h"

/* In a frame's pc: it is of the runtime's own, innermost, and left out. */
#define PC_HIDDEN (UINT64_C(1) << 62)

#define KEPT_NONE UINT32_MAX

#define KEPT_SAME_BP INT16_MIN       /* the caller's bp is its own */
#define KEPT_FAR_BP  (INT16_MIN + 1) /* further away: slots[1] tells, always */

struct kept {
	uint64_t pc; /* 0: no frame, but another word of the one before it */
	uint64_t sp, bp;
	/* What the step to the caller read, at sp and these slots. The second is its bp, where the rest
	   of the stack depends on that, or else the first again. Of the outermost frame words[0] is why
	   it has no caller. */
	uint64_t words[2];
	int32_t slots[2];
	uint32_t node;
	uint32_t caller; /* its place; KEPT_NONE: it is the outermost */
	/* So many of the frames behind it are its callers, one after the other. */
	uint16_t run;
	/* So many words behind sp lies the caller's bp; or KEPT_SAME_BP, KEPT_FAR_BP. */
	int16_t bp_word;
	uint32_t depth : 30; /* frames from this one outwards, but for hidden ones */
	/* Its own step does; or that of a frame that has its bp. Else its bp may be any. */
	uint32_t uses_bp : 1, needs_bp : 1;
};
static_assert(sizeof(struct kept) == 64, "a frame is a cache line");

struct kept_frames {
	struct kept *array;
	uint16_t *places;    /* by hash: the last frame of a state, from 1 on; 0: none */
	uint32_t room, nr;   /* of the array; behind `nr` new ones are made */
	uint32_t deepest;    /* of the frames that are kept */
	unsigned shift;      /* of a hash, to a place */
	size_t mapped_bytes; /* 0: the memory is the caller's */
};

/* The memory is the caller's, zeroed, until more is needed. */
void kept_init(struct kept_frames *frames, void *memory, size_t bytes);
void kept_deinit(struct kept_frames *frames);
/* None is kept. */
void kept_forget(struct kept_frames *frames);
/* Forgets them so that there is room for new ones, or more room than before; false: no memory. */
bool kept_make_room(struct kept_frames *frames);

static inline uint16_t *kept_place(const struct kept_frames *frames, uint64_t pc,
				   uint64_t sp)
{
	uint64_t hash =
		(pc + sp * UINT64_C(0xd6e8feb86659fd93)) * UINT64_C(0x9e3779b97f4a7c15);
	return &frames->places[hash >> frames->shift];
}

/* NULL if there is none. */
static inline const struct kept *kept_find(const struct kept_frames *frames, uint64_t pc,
					   uint64_t sp, uint64_t bp)
{
	uint32_t place = *kept_place(frames, pc, sp);
	const struct kept *frame = &frames->array[place ? place - 1 : 0];
	bool is_it = place && frame->pc == pc && frame->sp == sp &&
		     (!frame->needs_bp || frame->bp == bp);
	return is_it ? frame : NULL;
}

static inline uint64_t kept_word(const struct kept *frame, unsigned i)
{
	return memory_at(frame->sp + (uint64_t)(int64_t)frame->slots[i]);
}

/* Not 0 if the frame's step would be another one now. */
static inline uint64_t kept_difference(const struct kept *frame)
{
	return (kept_word(frame, 0) ^ frame->words[0]) |
	       (kept_word(frame, 1) ^ frame->words[1]);
}

/* The innermost frame, from `frame` on, whose words have changed; the outermost one if none have. */
static inline const struct kept *kept_check(const struct kept_frames *frames,
					    const struct kept *frame)
{
	while (frame->caller != KEPT_NONE) {
		const struct kept *last = frame + frame->run;
		uint64_t difference = 0;
		for (const struct kept *at = frame; at <= last; at++)
			difference |= kept_difference(at);
		if (__builtin_expect(difference != 0, 0)) {
			while (!kept_difference(frame))
				frame++;
			return frame;
		}
		frame = &frames->array[last->caller];
	}
	return frame;
}

/* Whether it is a frame, and one that is told of. */
static inline bool kept_is_shown(const struct kept *frame)
{
	return frame->pc && !(frame->pc & PC_HIDDEN);
}

static inline bool kept_is_outermost(const struct kept *frame)
{
	return frame->caller == KEPT_NONE;
}

/* The frame at the array's place is found by its state from now on. */
static inline void kept_enter(struct kept_frames *frames, uint32_t place)
{
	const struct kept *frame = &frames->array[place];
	*kept_place(frames, frame->pc, frame->sp) = (uint16_t)(place + 1);
}

#endif
