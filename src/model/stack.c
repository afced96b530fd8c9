/* stack: see stack.h. */
#include "model/stack.h"

void call_stack_deinit(struct call_stack *stack)
{
	for (size_t i = 0; i < stack->frames.nr; i++) {
		free(stack->frames.items[i].function);
		free(stack->frames.items[i].file);
		free(stack->frames.items[i].module);
		free(stack->frames.items[i].build_id);
	}
	stack_frame_vec_deinit(&stack->frames);
	sentences_deinit(&stack->excerpt);
}
