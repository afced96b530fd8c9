/* stacks: see stacks.h. */
#include "analyse/stacks.h"

#include <stdlib.h>
#include <string.h>
#include <sys/user.h>

#define PAGE_BYTES 4096u

/* Up to where it may be read: to the first page that is swapped out, or was never written. */
static struct error *readable_end(struct target *target, const struct region *region,
				  uint64_t start, uint64_t *end)
{
	struct extent_vec extents = { 0 };
	const uint64_t page = start & ~(uint64_t)(PAGE_BYTES - 1);
	const uint64_t last = (*end + PAGE_BYTES - 1) & ~(uint64_t)(PAGE_BYTES - 1);
	struct error *error = target_extents(target, region, page, last, &extents);
	uint64_t reached = start;
	for (size_t i = 0; !error && i < extents.nr; i++)
		if (!extents.items[i].swapped && extents.items[i].start <= reached &&
		    extents.items[i].end > reached)
			reached = extents.items[i].end;
	extent_vec_deinit(&extents);
	*end = reached < *end ? reached : *end;
	return error;
}

static struct error *copy_bytes(struct target *target, struct stack *stack, uint64_t end)
{
	size_t nr_read = 0;
	stack->bytes = malloc(end - stack->start);
	if (!stack->bytes)
		return error_no_memory();
	struct error *error = target->ops->read(target, stack->start, stack->bytes,
						end - stack->start, &nr_read);
	stack->size = nr_read;
	return error;
}

static void stack_deinit(struct stack *stack)
{
	free(stack->bytes);
	free(stack->registers);
}

static struct error *copy_stack(struct target *target, const struct thread *thread,
				uint64_t room, struct stack *stack)
{
	const uint64_t start = thread->sp - STACK_RED_ZONE;
	const struct region *region = target_region(target, thread->sp);
	*stack = (struct stack){ .tid = thread->tid, .start = start };
	if (!thread->general || !region || start < region->start)
		return NULL;
	uint64_t end = region->end - start > room ? start + room : region->end;
	struct error *error = readable_end(target, region, start, &end);
	if (error || end <= start)
		return error;
	stack->registers = malloc(sizeof(*stack->registers));
	if (!stack->registers)
		return error_no_memory();
	memcpy(stack->registers, thread->general, sizeof(*stack->registers));
	return copy_bytes(target, stack, end);
}

struct error *stacks_copy(struct target *target, struct stack_vec *stacks)
{
	uint64_t left = STACKS_BYTES_MAX;
	struct error *error = NULL;
	for (size_t i = 0; !error && i < target->threads.nr; i++) {
		struct stack stack;
		error = copy_stack(target, &target->threads.items[i],
				   left < STACK_BYTES_MAX ? left : STACK_BYTES_MAX,
				   &stack);
		left -= stack.size;
		if (!error && stack.size && stack_vec_push(stacks, stack))
			continue;
		if (!error && stack.size)
			error = error_no_memory();
		stack_deinit(&stack);
	}
	return error;
}

void stacks_deinit(struct stack_vec *stacks)
{
	for (size_t i = 0; i < stacks->nr; i++)
		stack_deinit(&stacks->items[i]);
	stack_vec_deinit(stacks);
}

static bool read_word(struct words *words, uint64_t address, uint64_t *word)
{
	const struct stack *stack = ((struct stack_words *)words)->stack;
	if (address < stack->start || stack->size < sizeof(*word) ||
	    address - stack->start > stack->size - sizeof(*word))
		return false;
	memcpy(word, stack->bytes + (address - stack->start), sizeof(*word));
	return true;
}

struct stack_words stack_words(const struct stack *stack)
{
	return (struct stack_words){ { read_word }, stack };
}
