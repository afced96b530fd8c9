/*
 * walk: the frames of one stack, new ones only as far as the last stack does not tell them.
 *
 * A step of the quick rules is a function of pc, sp, bp and of one to three words of memory. So
 * is the rest of the stack, from any state on. Hence: where the walk comes to the state of a
 * kept frame, and all words between that frame and the outermost one are what they were, the
 * rest is what it was. Nothing is assumed of what happened in between.
 */
#ifndef SEEP_UNWIND_WALK_H
#define SEEP_UNWIND_WALK_H

#include "unwind/frames.h"
#include "unwind/memory.h"
#include "unwind/rules.h"
#include "unwind/unwind.h"

struct walk {
	struct rules *rules;
	struct rule_table *table; /* NULL: nothing is known */
	const struct unwind_options *options;
	const void *writer;
	const struct unwind_registers *first;
	struct frames *frames;
	struct memory memory;
	/* Of the last full step, if any: they count if pc, sp and bp are those of the frame. */
	struct cpu_registers registers;
	bool all_registers; /* no step is a quick one */
};

/* Walks from `first` on, and joins the frames; `kept_end` is how the kept ones ended. `*nr_met` of
   the kept ones are part of the stack. */
enum unwind_end walk_stack(struct walk *walk, enum unwind_end kept_end, size_t *nr_met);

#endif
