/*
 * frames: the calls that threads were in, found by .eh_frame from copies of their stacks.
 *
 * Nothing of a stack, nor of a file, is trusted: a stack is followed outwards only, and so far
 * (FRAMES_MAX). What comes after a frame that cannot be left is not told.
 */
#ifndef SEEP_ANALYSE_FRAMES_H
#define SEEP_ANALYSE_FRAMES_H

#include "analyse/frame_table.h"
#include "analyse/stacks.h"
#include "base/map.h"
#include "sym/call_frames.h"
#include "sym/symbols.h"
#include "unwind/cpu.h"

/* Of all threads together, and so long by the processor's time: a damaged table of a file has to be
   looked through. */
#define FRAMES_MAX    ((uint64_t)1 << 18)
#define FRAMES_NS_MAX ((uint64_t)1000000000)

struct frame {
	pid_t tid;
	uint64_t start, end; /* the part of the stack that it is */
	uint64_t
		code; /* an address in the code that it was in: a call, if not the next */
	bool is_interrupted; /* the code was about to be run: it is the innermost, or a signal came */
	uint64_t function; /* address where the function begins */
	uint64_t function_end;
	uint64_t cfa;
	struct cpu_registers registers; /* in it */
};

DEFINE_VEC(call_frames_vec, struct call_frames);

struct frame_finder {
	struct symbols *symbols;
	struct call_frames_vec modules;
	struct map numbers; /* in `modules`, plus one, by start of the module */
	uint64_t nr_frames;
	uint64_t until_ns; /* by the processor's time that the thread may take */
};

void frame_finder_init(struct frame_finder *finder, struct symbols *symbols);
void frame_finder_deinit(struct frame_finder *finder);

/* From the innermost on; false from `take` ends it. */
void frames_find(struct frame_finder *finder, const struct stack *stack,
		 bool (*take)(void *context, const struct frame *frame), void *context);

/* Tells of each part of these stacks whose call it is. */
struct error *frames_tell(struct frame_finder *finder, const struct stack_vec *stacks,
			  struct frame_table *table) MUST_CHECK;

#endif
