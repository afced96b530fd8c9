/*
 * A process has its rules, a thread its frames; both in pages of their own.
 *
 * A signal may come in the middle of unwind_stack(), and its handler may unwind: `busy_sp` tells
 * that, and the handler's stack is walked with frames of its own. A handler may also leave that
 * middle for ever by a jump; then the stack has shrunk past `busy_sp`.
 */
#include "unwind/unwind.h"

#include <stdatomic.h>

#include "raw/pages.h"
#include "unwind/walk.h"

struct unwind {
	struct unwind_options options;
	struct rules rules;
};

enum { THREAD_BYTES = 8192, MEMO_BITS = 6 };

/* A child that was asked for a while ago: frames come and go, but are often the same. */
struct memo {
	uint64_t pc; /* 0: none */
	uint32_t parent, node;
};

struct unwind_thread {
	struct unwind *unwind;
	struct own_stack own;
	volatile uint64_t busy_sp; /* 0: not in the middle of it */
	uint64_t generation;       /* of the rules that the frames are from */
	enum unwind_end end;       /* of the last stack, which may be a handler's */
	enum unwind_end kept_end;  /* of the one whose frames are kept */
	struct memo memos[1 << MEMO_BITS];
	struct frames frames;
	struct frame first_frames[];
};

struct unwind *unwind_create(const struct unwind_options *options)
{
	struct unwind *unwind = pages_map(sizeof(*unwind));
	if (unwind)
		unwind->options = *options;
	return unwind;
}

struct unwind_thread *unwind_thread_create(struct unwind *unwind, uint64_t low,
					   uint64_t high)
{
	struct unwind_thread *thread = pages_map(THREAD_BYTES);
	if (!thread)
		return NULL;
	thread->unwind = unwind;
	thread->own.span = (struct span){ low, high };
	frames_init(&thread->frames, thread->first_frames,
		    THREAD_BYTES - sizeof(*thread));
	return thread;
}

void unwind_thread_destroy(struct unwind_thread *thread)
{
	if (!thread)
		return;
	frames_deinit(&thread->frames);
	pages_unmap(thread, THREAD_BYTES);
}

void unwind_forget(struct unwind *unwind)
{
	rules_forget(&unwind->rules);
}

enum unwind_end unwind_thread_end(const struct unwind_thread *thread)
{
	return thread->end;
}

static uint32_t child_of(struct unwind_thread *thread, uint32_t parent, uint64_t pc)
{
	const struct unwind_options *options = &thread->unwind->options;
	uint64_t hash = (pc + ((uint64_t)parent << 32)) * UINT64_C(0x9e3779b97f4a7c15);
	struct memo *memo = &thread->memos[hash >> (64 - MEMO_BITS)];
	if (memo->pc != pc || memo->parent != parent)
		*memo = (struct memo){
			.pc = pc,
			.parent = parent,
			.node = options->child(options->context, parent, pc),
		};
	return memo->node;
}

/* Nodes for the frames that were not met. */
static uint32_t intern(struct unwind_thread *thread, struct frame *frames, size_t nr_met,
		       size_t nr)
{
	uint32_t node = nr_met ? frames[nr_met - 1].node : 0;
	for (size_t i = nr_met; i < nr; i++) {
		node = child_of(thread, node, frames[i].pc);
		frames[i].node = node;
	}
	return node;
}

/* All that was kept of before. */
static void forget(struct unwind_thread *thread)
{
	frames_drop(&thread->frames);
	for (size_t i = 0; i < 1 << MEMO_BITS; i++)
		thread->memos[i].pc = 0;
}

static uint32_t stack_of(struct unwind_thread *thread,
			 const struct unwind_registers *registers)
{
	struct unwind *unwind = thread->unwind;
	struct frames *frames = &thread->frames;
	/* First of all: what is forgotten from now on may be in the frames. */
	uint64_t generation = atomic_load(&unwind->rules.generation);
	if (thread->generation != generation)
		forget(thread);
	thread->generation = generation;

	struct walk walk; /* its registers are for full steps, and not set for others */
	walk.rules = &unwind->rules;
	walk.table = rules_table(&unwind->rules);
	walk.options = &unwind->options;
	walk.writer = thread;
	walk.first = registers;
	walk.frames = frames;
	walk.registers.known = 0;
	walk.all_registers = false;
	memory_begin(&walk.memory, &thread->own, registers->sp);

	size_t nr_met;
	enum unwind_end end = walk_stack(&walk, thread->kept_end, &nr_met);
	size_t nr = frames->nr_kept;
	size_t max = unwind->options.max_frames;
	if (nr > max) {
		end = UNWIND_CUT;
		nr_met = 0;
	}
	struct frame *wanted = frames->array + (nr > max ? nr - max : 0);
	uint32_t node = intern(thread, wanted, nr_met, nr < max ? nr : max);
	if (end == UNWIND_CUT || end == UNWIND_NO_MEMORY)
		frames_drop(frames);
	thread->kept_end = thread->end = end;
	return node;
}

/* With frames that nobody else is in the middle of. */
static uint32_t nested_stack(struct unwind_thread *thread,
			     const struct unwind_registers *registers)
{
	struct unwind_thread *nested = unwind_thread_create(
		thread->unwind, thread->own.span.low, thread->own.span.high);
	if (!nested) {
		thread->end = UNWIND_NO_MEMORY;
		return 0;
	}
	uint32_t node = stack_of(nested, registers);
	thread->end = nested->end;
	unwind_thread_destroy(nested);
	return node;
}

static bool is_nested(const struct unwind_thread *thread, uint64_t sp)
{
	const struct span *own = &thread->own.span;
	uint64_t busy_sp = thread->busy_sp;
	return busy_sp && !(span_has(own, busy_sp) && span_has(own, sp) && sp >= busy_sp);
}

uint32_t unwind_stack(struct unwind_thread *thread,
		      const struct unwind_registers *registers)
{
	if (is_nested(thread, registers->sp))
		return nested_stack(thread, registers);
	if (thread->busy_sp)
		forget(thread);
	thread->busy_sp = registers->sp;
	atomic_signal_fence(memory_order_seq_cst);
	uint32_t node = stack_of(thread, registers);
	atomic_signal_fence(memory_order_seq_cst);
	thread->busy_sp = 0;
	return node;
}
