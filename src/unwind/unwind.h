/*
 * unwind: the call stack of the calling thread, as the number of a stack node, exactly and fast.
 *
 * Rules come from .eh_frame, are worked out when a pc is first met, and kept by pc. Each thread
 * keeps the frames of its last stack: those whose words in memory are unchanged are not walked
 * again (DESIGN.md, "a validated shadow stack"). The stack and all that the rules ask for is read
 * directly, and only inside the bounds of the stack that the thread is on.
 *
 * Nothing here allocates with malloc, takes a blocking lock, or calls what could. All memory
 * comes from mmap and grows with what is met.
 */
#ifndef SEEP_UNWIND_UNWIND_H
#define SEEP_UNWIND_UNWIND_H

#include <stddef.h>
#include <stdint.h>

/* Registers that a caller may find its own in, at one instruction; filled by
   unwind_here(), which is a macro: it is about the function that it stands in. */
struct unwind_registers {
#if defined(__x86_64__)
	uint64_t pc, sp, bp, bx, r12, r13, r14, r15;
#elif defined(__aarch64__)
	uint64_t pc, sp, x19[11] /* x19 … x29 */, lr;
#endif
};

struct unwind; /* of the process: rules by pc */

/* `child` interns a frame: raw/stack_table.h. It returns NULL when there is no memory. */
struct unwind_options {
	uint32_t (*child)(void *context, uint32_t parent, uint64_t address);
	void *context;
	uint32_t max_frames; /* the innermost so many of deeper stacks */
	/* Frames of this code are left out where they are innermost: the runtime's own. */
	uint64_t own_start, own_end;
};
struct unwind *unwind_create(const struct unwind_options *options);

struct unwind_thread; /* of one thread */

/* [low, high): the thread's stack; 0, 0: it is found out when first needed. UNWIND_NO_OWN_STACK
   twice: none is known to stay as long as the thread, so each page is asked for. */
#define UNWIND_NO_OWN_STACK 1
struct unwind_thread *unwind_thread_create(struct unwind *unwind, uint64_t low,
					   uint64_t high);
void unwind_thread_destroy(struct unwind_thread *thread);

/* The node of the stack from `registers` on. */
uint32_t unwind_stack(struct unwind_thread *thread,
		      const struct unwind_registers *registers);

/* Code was unloaded or may have been: rules and kept frames of before count no more. Safe
   beside threads that unwind. */
void unwind_forget(struct unwind *unwind);

/* Why the last stack of the thread ended where it did. */
enum unwind_end {
	UNWIND_COMPLETE,  /* at the thread's or program's first frame */
	UNWIND_NO_RULE,   /* code without rules: its address is the outermost node */
	UNWIND_NO_MEMORY, /* a word lay outside the stack */
	UNWIND_CUT,       /* at max_frames */
};
enum unwind_end unwind_thread_end(const struct unwind_thread *thread);

#endif
