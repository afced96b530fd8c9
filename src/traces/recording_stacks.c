/* recording_stacks: stack nodes as lists of frames; see recording_priv.h. */
#include "traces/recording_priv.h"

static uint32_t function_of(const struct recording_work *work, uint32_t frame)
{
	return work->report->places.frames.items[frame].function;
}

/* Where the function of a frame stands on the stack already; the stack's end if it does not. */
static size_t find_function(const struct recording_work *work,
			    const struct recording_number_vec *stack, uint32_t frame)
{
	size_t at = 0;
	while (at < stack->nr &&
	       function_of(work, stack->items[at]) != function_of(work, frame))
		at++;
	return at;
}

static bool push_frame(const struct recording_work *work,
		       struct recording_number_vec *stack, uint32_t frame)
{
	if (!stack->nr &&
	    recording_frames_is_allocator(work->frames, function_of(work, frame)))
		return true;
	if (!(work->options->flags & RECORDING_COLLAPSE))
		return recording_number_vec_push(stack, frame);
	size_t at = find_function(work, stack, frame);
	if (at == stack->nr)
		return recording_number_vec_push(stack, frame);
	stack->nr = at + 1; /* what it called in between is part of the recursion */
	return true;
}

static bool is_hidden(const struct recording_work *work, uint32_t node)
{
	return work->options->flags & RECORDING_HIDE_LIBS &&
	       !recording_frames_is_program(work->frames,
					    recording_frames_module(work->frames, node));
}

static struct error *push_call(struct recording_work *work, uint32_t node,
			       struct recording_number_vec *stack)
{
	uint32_t first, nr;
	struct error *error = recording_frames_of(work->frames, node, &first, &nr);
	for (uint32_t i = 0; !error && i < nr; i++)
		if (!push_frame(work, stack, first + i))
			error = error_no_memory();
	return error;
}

struct error *recording_stack(struct recording_work *work, uint32_t node,
			      struct recording_number_vec *stack)
{
	struct error *error = NULL;
	stack->nr = 0;
	for (; node && !error; node = work->trace->nodes.items[node].parent)
		if (!is_hidden(work, node))
			error = push_call(work, node, stack);
	return error;
}

struct error *recording_innermost(struct recording_work *work, uint32_t node,
				  uint32_t *frame)
{
	*frame = RECORDING_NONE;
	for (; node; node = work->trace->nodes.items[node].parent) {
		uint32_t first, nr;
		if (is_hidden(work, node))
			continue;
		struct error *error =
			recording_frames_of(work->frames, node, &first, &nr);
		if (error)
			return error;
		for (uint32_t i = 0; i < nr; i++) {
			*frame = first + i;
			if (!recording_frames_is_allocator(work->frames,
							   function_of(work, *frame)))
				return NULL;
		}
	}
	return NULL;
}
