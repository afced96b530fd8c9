/*
 * memory: words of the stack that is walked, read directly where they are known to be there.
 *
 * A thread's own stack stays as long as the thread does: it is found out once, and its words
 * cost a comparison. Other memory (alternate signal stacks, coroutines) may be gone by the next
 * time: each page of it is asked of the kernel, once a walk, before a word of it is touched.
 */
#ifndef SEEP_UNWIND_MEMORY_H
#define SEEP_UNWIND_MEMORY_H

#include <stdbool.h>
#include <stdint.h>

struct span {
	uint64_t low, high;
};

static inline bool span_has(const struct span *span, uint64_t address)
{
	return address >= span->low && address < span->high;
}

/* The thread's own stack. */
struct own_stack {
	struct span span;   /* empty: not found yet */
	unsigned nr_trials; /* to find it */
	uint64_t not_it;    /* a place that it was found not to reach; 0: none */
	uint64_t gap;       /* a page below it that could not be read; 0: none is known */
};

/* Whether `sp` is on the thread's own stack; finds out about it, and lets it have grown. */
bool own_stack_has(struct own_stack *own, uint64_t sp);

/* Whether there is something to be read now; asks the kernel. */
bool memory_is_readable(uint64_t address);

/* What may be read in one walk. */
struct memory {
	uint64_t low, nr_starts; /* a word may begin at low and the addresses after it */
	const struct own_stack *own;
};

/* For a walk that begins at `sp`. */
void memory_begin(struct memory *memory, struct own_stack *own, uint64_t sp);

/* Finds out whether the word at `address` can be read, and if so allows it. */
bool memory_learn(struct memory *memory, uint64_t address);

/* Whether all words between the two addresses can be read without asking. */
static inline bool memory_has(const struct memory *memory, uint64_t low, uint64_t high)
{
	return low >= memory->low && high >= low + sizeof(uint64_t) &&
	       high - sizeof(uint64_t) - memory->low < memory->nr_starts;
}

/* A word that is known to be readable. The stack of others is none of a sanitizer's business. */
__attribute__((no_sanitize("address"))) static inline uint64_t memory_at(uint64_t address)
{
	typedef uint64_t any_word __attribute__((aligned(1), may_alias));
	return *(const any_word *)(uintptr_t)address;
}

/* False if the word cannot be read. */
static inline bool memory_word(struct memory *memory, uint64_t address, uint64_t *word)
{
	if (address - memory->low >= memory->nr_starts && !memory_learn(memory, address))
		return false;
	*word = memory_at(address);
	return true;
}

#endif
