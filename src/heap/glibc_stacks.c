/*
 * glibc_stacks: which parts of the threads' stacks are dead.
 *
 * Of a running thread's stack, what lies below its stack pointer; where the stack begins
 * stands in its struct pthread, which its thread pointer leads to. The main thread's stack
 * is the kernel's and not known here.
 *
 * Stacks of threads that have ended are kept for the next thread. They hang in a ring in
 * ld.so's _rtld_global (nptl/allocatestack.c), linked through each stack's struct pthread.
 * What stands on them is dead, so they are no roots, but for one word: the pointer to the
 * thread's TLS vector, which the next thread takes over.
 *
 * Whatever those structs say, nothing outside the mapping that they stand in is called dead.
 */
#include <inttypes.h>

#include "heap/glibc_priv.h"

/* Offset of the vector's pointer in the thread control block (tcbhead_t). */
#define TCB_DTV    8u
#define STACKS_MAX 65536u
/* Leaf functions may use this much below the stack pointer (System V ABI). */
#define RED_ZONE 128u

static bool is_live_stack(const struct target *target, uint64_t start, uint64_t end)
{
	for (size_t i = 0; i < target->threads.nr; i++)
		if (target->threads.items[i].sp >= start &&
		    target->threads.items[i].sp < end)
			return true;
	return false;
}

/* The part of [start, end) that lies in the same region as `address`. */
static struct error *add_range(struct glibc *glibc, uint64_t address, uint64_t start,
			       uint64_t end)
{
	const struct region *region = target_region(glibc->base.target, address);
	if (!region)
		return NULL;
	struct heap_span range = {
		.start = start > region->start ? start : region->start,
		.end = end < region->end ? end : region->end,
	};
	if (range.start >= range.end)
		return NULL;
	return heap_span_vec_push(&glibc->base.private_ranges, range) ? NULL
								      : error_no_memory();
}

/* A stack [start, start + size), and the struct pthread on it. */
struct stack {
	uint64_t descriptor, start, size;
};
typedef struct error *take_stack(struct glibc *glibc, const struct stack *stack,
				 void *context);

static struct error *add_dead(struct glibc *glibc, const struct stack *stack,
			      void *context)
{
	uint64_t end = stack->start + stack->size;
	(void)context;
	if (is_live_stack(glibc->base.target, stack->start, end))
		return NULL;
	struct error *error = add_range(glibc, stack->descriptor, stack->start,
					stack->descriptor + TCB_DTV);
	return error ? error
		     : add_range(glibc, stack->descriptor,
				 stack->descriptor + TCB_DTV + 8, end);
}

static bool is_sane(const struct stack *stack)
{
	uint64_t end = stack->start + stack->size;
	return stack->size % 4096 == 0 && stack->start % 4096 == 0 &&
	       stack->start < end && stack->descriptor >= stack->start &&
	       stack->descriptor < end;
}

/* The stacks of one list, whose head is at that offset of _rtld_global. */
static struct error *each_stack(struct glibc *glibc, uint64_t list, take_stack *take,
				void *context)
{
	const struct glibc_layout *layout = glibc->layout;
	uint64_t head = glibc->rtld_global + list, link = head;
	for (size_t i = 0; i < STACKS_MAX; i++) {
		uint64_t words[2] = { 0 };
		bool readable = false;
		struct error *error = peek_words(glibc->peek, link, &link, 1, &readable);
		if (error)
			return error;
		if (!readable || link == head || link == 0)
			break;
		uint64_t descriptor = link - layout->stacks.list;
		error = peek_words(glibc->peek, descriptor + layout->stacks.stack, words,
				   2, &readable);
		const struct stack stack = { descriptor, words[0], words[1] };
		if (!error && readable && is_sane(&stack))
			error = take(glibc, &stack, context);
		if (error)
			return error;
	}
	return NULL;
}

static struct error *add_ended_stacks(struct glibc *glibc)
{
	return each_stack(glibc, glibc->layout->stacks.stack_cache, add_dead, NULL);
}

static struct error *list_stack(struct glibc *glibc, const struct stack *stack,
				void *context)
{
	struct heap_span span = { .start = stack->start,
				  .end = stack->start + stack->size };
	(void)glibc;
	return heap_span_vec_push(context, span) ? NULL : error_no_memory();
}

/* The list of stacks in use stands two lists before that of cached ones: _dl_stack_used,
   _dl_stack_user, _dl_stack_cache (sysdeps/generic/ldsodefs.h since 2.34). */
struct error *glibc_find_stacks(struct glibc *glibc, struct heap_span_vec *stacks)
{
	uint64_t cache = glibc->layout->stacks.stack_cache;
	uint64_t used = cache - 2 * 2 * sizeof(uint64_t);
	if (!glibc->rtld_global || !cache)
		return NULL;
	struct error *error = each_stack(glibc, cache, list_stack, stacks);
	return error ? error : each_stack(glibc, used, list_stack, stacks);
}

/* A thread on a stack of another kind (sigaltstack, a coroutine's) may come back to its
   own, of which then nothing is known to be dead. */
static struct error *add_dead_part(struct glibc *glibc, const struct thread *thread)
{
	uint64_t stack[2] = { 0 };
	bool readable = false;
	struct error *error = peek_words(
		glibc->peek, thread->thread_pointer + glibc->layout->stacks.stack, stack,
		2, &readable);
	if (error || !readable)
		return error;
	uint64_t start = stack[0], end = start + stack[1];
	/* The main thread's begins at 0: not known. */
	bool is_on_it = start != 0 && start % 4096 == 0 && start < end &&
			thread->sp >= start + RED_ZONE && thread->sp < end &&
			thread->thread_pointer >= start && thread->thread_pointer < end;
	return is_on_it ? add_range(glibc, thread->sp, start, thread->sp - RED_ZONE)
			: NULL;
}

struct error *glibc_find_dead_stacks(struct glibc *glibc)
{
	const struct thread_vec *threads = &glibc->base.target->threads;
	for (size_t i = 0; i < threads->nr; i++) {
		struct error *error = add_dead_part(glibc, &threads->items[i]);
		if (error)
			return error;
	}
	return glibc->rtld_global ? add_ended_stacks(glibc) : NULL;
}
