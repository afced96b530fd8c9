/*
 * glibc_stacks: stacks of threads that have ended, which glibc keeps for the next thread.
 *
 * They hang in a ring in ld.so's _rtld_global (nptl/allocatestack.c), linked through each
 * stack's struct pthread. What stands on them is dead, so they are no roots, but for one
 * word: the pointer to the thread's TLS vector, which the next thread takes over.
 */
#include <inttypes.h>

#include "heap/glibc_priv.h"

/* Offset of the vector's pointer in the thread control block (tcbhead_t). */
#define TCB_DTV    8u
#define STACKS_MAX 65536u

static bool is_live_stack(const struct target *target, uint64_t start, uint64_t end)
{
	for (size_t i = 0; i < target->threads.nr; i++)
		if (target->threads.items[i].sp >= start &&
		    target->threads.items[i].sp < end)
			return true;
	return false;
}

static struct error *add_range(struct glibc *glibc, uint64_t start, uint64_t end)
{
	struct heap_span range = { .start = start, .end = end };
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
	struct error *error = add_range(glibc, start, descriptor + TCB_DTV);
	return error ? error : add_range(glibc, descriptor + TCB_DTV + 8, end);
}

struct error *glibc_find_dead_stacks(struct glibc *glibc)
{
	if (!glibc->rtld_global)
		return NULL;
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
