/*
 * stack: the call stack that allocated something. No behaviour but its end; strings are owned.
 */
#ifndef SEEP_MODEL_STACK_H
#define SEEP_MODEL_STACK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/sentences.h"
#include "base/vec.h"

/* What is not known is NULL or 0. */
struct stack_frame {
	char *function; /* demangled */
	char *file;
	uint32_t line;
	char *module;    /* path of the file that the code is from */
	char *build_id;  /* of it */
	uint64_t offset; /* of the call: the module's own address */
	bool is_inlined; /* into the frame that follows */
};
DEFINE_VEC(stack_frame_vec, struct stack_frame);

struct call_stack {
	struct stack_frame_vec frames; /* innermost first; none: the stack is not known */
	size_t site; /* of the frames: the innermost of the program's own code, or of all */
	struct sentence_vec excerpt; /* the site's line of source and those around it */
	uint32_t excerpt_line;       /* the number of the first of these */
};

static inline const struct stack_frame *call_stack_site(const struct call_stack *stack)
{
	return stack->frames.nr ? &stack->frames.items[stack->site] : NULL;
}

void call_stack_deinit(struct call_stack *stack);

#endif
