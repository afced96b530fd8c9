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

static struct error *add_stack(struct glibc *glibc, uint64_t descriptor, uint64_t start,
			       uint64_t size)
{
	uint64_t end = start + size;
	bool sane = size % 4096 == 0 && start % 4096 == 0 && start < end &&
		    descriptor >= start && descriptor < end;
	if (!sane || is_live_stack(glibc->base.target, start, end))
		return NULL;
	struct error *error = add_range(glibc, descriptor, start, descriptor + TCB_DTV);
	return error ? error
		     : add_range(glibc, descriptor, descriptor + TCB_DTV + 8, end);
}

static struct error *add_ended_stacks(struct glibc *glibc)
{
	const struct glibc_layout *layout = glibc->layout;
	uint64_t head = glibc->rtld_global + layout->stacks.stack_cache;
	uint64_t link = head;
	for (size_t i = 0; i < STACKS_MAX; i++) {
		bool readable = false;
		struct error *error = peek_words(glibc->peek, link, &link, 1, &readable);
		if (error)
			return error;
		if (!readable || link == head || link == 0)
			break;
		uint64_t descriptor = link - layout->stacks.list;
		uint64_t stack[2] = { 0 };
		error = peek_words(glibc->peek, descriptor + layout->stacks.stack, stack,
				   2, &readable);
		if (!error && readable)
			error = add_stack(glibc, descriptor, stack[0], stack[1]);
		if (error)
			return error;
	}
	return NULL;
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
