/* typing_stacks: the variables of the calls that threads are in, where they can be relied on
   (types_locals()). See typing_priv.h. */
#include <string.h>

#include "analyse/frames.h"
#include "analyse/typing_priv.h"

/* The target stands still meanwhile: no more calls of a thread are looked at, nor of all. */
#define CALLS_OF_THREAD_MAX 256u
#define CALLS_MAX           4096u

struct finder {
	struct run *run;
	struct frame_finder frames;
	unsigned nr_of_thread, nr;
};

static void take_local(void *context, const struct types_local *local)
{
	struct finder *finder = context;
	if (!types_local_vec_push(&finder->run->locals, *local))
		finder->run->out_of_memory = true;
}

static bool take_frame(void *context, const struct frame *frame)
{
	struct finder *finder = context;
	struct types_frame is = {
		.code = frame->code,
		.cfa = frame->cfa,
		.is_interrupted = frame->is_interrupted,
		.known = (uint32_t)frame->registers.known,
	};
	_Static_assert(CPU_NR_REGISTERS >= TYPES_REGISTERS, "in DWARF's order");
	memcpy(is.registers, frame->registers.values, sizeof(is.registers));
	types_locals(finder->run->types, &is, take_local, finder);
	return ++finder->nr_of_thread < CALLS_OF_THREAD_MAX && ++finder->nr < CALLS_MAX;
}

/* Once, before all rounds. */
struct error *run_find_locals(struct run *run)
{
	const struct typing_task *task = run->task;
	struct stack_vec stacks = { 0 };
	struct finder finder = { .run = run };
	if (!task->symbols)
		return NULL;
	struct error *error = stacks_copy(task->target, &stacks);
	frame_finder_init(&finder.frames, task->symbols);
	for (size_t i = 0; !error && i < stacks.nr; i++) {
		finder.nr_of_thread = 0;
		frames_find(&finder.frames, &stacks.items[i], take_frame, &finder);
	}
	frame_finder_deinit(&finder.frames);
	stacks_deinit(&stacks);
	return error;
}

void run_begin_with_locals(struct run *run)
{
	for (size_t i = 0; i < run->locals.nr; i++) {
		const struct types_local *local = &run->locals.items[i];
		if (!local->is_in_register)
			run_follow(run, local->type, local->address, 0);
		else if (types_get(run->types, local->type)->kind == TYPE_POINTER)
			run_point(run, local->word,
				  types_pointee(run->types, local->type), NULL);
	}
}
