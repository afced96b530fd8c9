/*
 * walk: the frames of one stack, new ones only as far as kept ones (kept.h) do not tell them.
 */
#ifndef SEEP_UNWIND_WALK_H
#define SEEP_UNWIND_WALK_H

#include "unwind/cpu.h"
#include "unwind/kept.h"
#include "unwind/rules.h"
#include "unwind/unwind.h"

struct walk {
	struct rules *rules;
	struct rule_table *table; /* NULL: nothing is known */
	const struct unwind_options *options;
	const void *writer;
	const struct unwind_registers *first;
	struct kept_frames *frames;
	struct memory memory;
	bool may_keep;       /* the stack is the thread's own */
	struct kept *unkept; /* frames before this one come of steps that told no words */
	/* Of the last full step, if any: they count if pc, sp and bp are those of the frame. */
	struct cpu_registers registers;
	bool all_registers; /* no step is a quick one */
};

struct walked {
	/* The new frames, innermost first, behind the kept ones in their array, without nodes;
	   `last` before `first`: none. */
	struct kept *first, *last;
	struct kept *kept; /* from here on they may be kept */
	/* The kept one that called the last of them; NULL: there is none. */
	const struct kept *base;
	enum unwind_end end;
};

/* Whether code is the runtime's own. */
static inline bool walk_is_own(const struct unwind_options *options, uint64_t pc)
{
	return (pc & ~PC_EXACT) - options->own_start <
	       options->own_end - options->own_start;
}

/* The pc that the first frame is kept with. */
static inline uint64_t walk_first_pc(const struct unwind_options *options,
				     const struct unwind_registers *registers)
{
	return registers->pc | PC_EXACT |
	       (walk_is_own(options, registers->pc) ? PC_HIDDEN : 0);
}

enum walk_end { WALK_DONE, WALK_NO_ROOM };

/* Walks from walk->first on. */
enum walk_end walk_stack(struct walk *walk, struct walked *walked);

#endif
