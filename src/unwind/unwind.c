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
	struct kept_frames frames;
	struct memo memos[1 << MEMO_BITS];
	unsigned char first_frames[];
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
	kept_init(&thread->frames, thread->first_frames, THREAD_BYTES - sizeof(*thread));
	return thread;
}

void unwind_thread_destroy(struct unwind_thread *thread)
{
	if (!thread)
		return;
	kept_deinit(&thread->frames);
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

/* The frame's caller needs its bp, or not. */
static void note_bp(struct kept *frame, bool needs_callers)
{
	bool is_same = frame->bp_word == KEPT_SAME_BP;
	frame->needs_bp = frame->uses_bp || (is_same && needs_callers);
	if (is_same || needs_callers || frame->bp_word == KEPT_FAR_BP)
		return;
	frame->slots[1] = frame->slots[0];
	frame->words[1] = frame->words[0];
}

/* Gives the new frames their nodes and their places among the kept ones. Returns the innermost's. */
static uint32_t intern(struct unwind_thread *thread, const struct walked *walked)
{
	const struct kept *array = thread->frames.array;
	const struct kept *base = walked->base;
	uint32_t node = base ? base->node : 0;
	uint32_t depth = base ? base->depth : 0;
	bool needs_bp = base && base->needs_bp;
	uint32_t caller = base ? (uint32_t)(base - array) : KEPT_NONE;
	uint32_t run = 0;
	if (!base) {
		walked->last->uses_bp = false;
		walked->last->bp_word = KEPT_SAME_BP;
	}
	for (struct kept *frame = walked->last; frame >= walked->first; frame--) {
		if (kept_is_shown(frame)) {
			node = child_of(thread, node, frame->pc);
			depth++;
		}
		frame->node = node;
		frame->depth = depth;
		note_bp(frame, needs_bp);
		needs_bp = frame->needs_bp;
		frame->caller = caller;
		frame->run = (uint16_t)run;
		run = caller == KEPT_NONE ? 0 : run + 1;
		caller = (uint32_t)(frame - array);
	}
	return node;
}

/* Whether the frames lie on the thread's own stack, so far as this is not known of them. */
static bool may_keep(const struct unwind_thread *thread, const struct walk *walk,
		     const struct walked *walked)
{
	if (!walk->may_keep || walked->kept > walked->last || walked->end == UNWIND_CUT ||
	    walked->end == UNWIND_NO_MEMORY)
		return false;
	return walked->kept->sp >= walk->first->sp &&
	       (walked->base || walked->last->sp <= thread->own.span.high);
}

static void keep(struct unwind_thread *thread, const struct walked *walked)
{
	struct kept_frames *frames = &thread->frames;
	if (!walked->base)
		walked->last->words[0] = walked->end;
	for (struct kept *frame = walked->kept; frame <= walked->last; frame++)
		if (frame->pc)
			kept_enter(frames, (uint32_t)(frame - frames->array));
	if (walked->kept->depth > frames->deepest)
		frames->deepest = walked->kept->depth;
	frames->nr = (uint32_t)(walked->last + 1 - frames->array);
}

/* All that was kept of before. */
static void forget(struct unwind_thread *thread)
{
	kept_forget(&thread->frames);
	for (size_t i = 0; i < 1 << MEMO_BITS; i++)
		thread->memos[i].pc = 0;
}

/* The kept frame with which the whole stack begins; NULL if it is to be walked. */
static inline const struct kept *met_at_once(const struct unwind_thread *thread,
					     const struct unwind_registers *registers)
{
	const struct kept *frame = kept_find(
		&thread->frames, walk_first_pc(&thread->unwind->options, registers),
		registers->sp, cpu_bp(registers));
	if (!frame || !span_has(&thread->own.span, registers->sp))
		return NULL;
	const struct kept *outermost = kept_check(&thread->frames, frame);
	bool is_whole = kept_is_outermost(outermost) &&
			outermost->words[0] == UNWIND_COMPLETE;
	return is_whole ? frame : NULL;
}

static __attribute__((noinline)) uint32_t walked_stack(
	struct unwind_thread *thread, const struct unwind_registers *registers)
{
	struct unwind *unwind = thread->unwind;
	struct walk walk; /* its registers are for full steps, and not set for others */
	walk.rules = &unwind->rules;
	walk.table = rules_table(&unwind->rules);
	walk.options = &unwind->options;
	walk.writer = thread;
	walk.first = registers;
	walk.frames = &thread->frames;
	walk.registers.known = 0;
	walk.all_registers = false;
	memory_begin(&walk.memory, &thread->own, registers->sp);
	walk.may_keep = span_has(&thread->own.span, registers->sp);

	struct walked walked;
	while (walk_stack(&walk, &walked) == WALK_NO_ROOM)
		if (!kept_make_room(&thread->frames)) {
			thread->end = UNWIND_NO_MEMORY;
			return 0;
		}
	thread->end = walked.end;
	if (walked.last < walked.first)
		return walked.base->node;
	uint32_t node = intern(thread, &walked);
	if (may_keep(thread, &walk, &walked))
		keep(thread, &walked);
	return node;
}

static inline uint32_t stack_of(struct unwind_thread *thread,
				const struct unwind_registers *registers)
{
	/* First of all: what is forgotten from now on may be in the frames. */
	uint64_t generation = atomic_load(&thread->unwind->rules.generation);
	if (thread->generation != generation)
		forget(thread);
	thread->generation = generation;
	const struct kept *met = met_at_once(thread, registers);
	if (!met)
		return walked_stack(thread, registers);
	thread->end = UNWIND_COMPLETE;
	return met->node;
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
