/*
 * stacks: the live parts of the stacks of a target's threads, with their registers: all that is needed of
 * a target that stands still to tell its frames (frames.h) when it runs again.
 */
#ifndef SEEP_ANALYSE_STACKS_H
#define SEEP_ANALYSE_STACKS_H

#include <sys/user.h>

#include "base/vec.h"
#include "target/target.h"
#include "unwind/words.h"

/* Functions that call no others may use so much below the stack pointer (System V ABI). */
#define STACK_RED_ZONE 128u
/* A stack is copied so far from its innermost end. */
#define STACK_BYTES_MAX ((uint64_t)1 << 20)
/* All of them together. */
#define STACKS_BYTES_MAX ((uint64_t)64 << 20)

struct stack {
	pid_t tid;
	struct user_regs_struct *registers; /* owned */
	uint64_t start, size;               /* what was copied */
	unsigned char *bytes;               /* owned */
};
DEFINE_VEC(stack_vec, struct stack);

/* The target stands still. A stack that cannot be read is left out. */
struct error *stacks_copy(struct target *target, struct stack_vec *stacks) MUST_CHECK;
void stacks_deinit(struct stack_vec *stacks);

/* The words of one, for whoever unwinds it. */
struct stack_words {
	struct words base; /* first */
	const struct stack *stack;
};
struct stack_words stack_words(const struct stack *stack);

#endif
