/* The quick walker, and when it needs help. */
#include "unwind/walk.h"

#include "unwind/cpu.h"
#include "unwind/step.h"

/* What is done for each frame is to be one loop, and what is seldom done no part of it. */
#define IN_LOOP  __attribute__((always_inline)) inline
#define NOT_LOOP __attribute__((noinline, cold))

static NOT_LOOP struct rule learn_rule(struct walk *walk, uint64_t pc)
{
	struct rule rule = rules_learn(walk->rules, pc, walk->writer);
	walk->table = rules_table(walk->rules);
	return rule;
}

static IN_LOOP struct rule rule_at(struct walk *walk, uint64_t pc)
{
	struct rule rule = { RULE_UNKNOWN };
	if (walk->table)
		rule = rule_table_find(walk->table, pc);
	return rule_kind(rule) == RULE_UNKNOWN ? learn_rule(walk, pc) : rule;
}

/* Whether the word in a slot of the frame is what made the frame. */
static bool has(struct memory *memory, const struct frame *frame, int32_t slot,
		uint64_t value)
{
	uint64_t word;
	return memory_word(memory, frame->sp + (uint64_t)(int64_t)slot, &word) &&
	       word == value;
}

static bool is_still_made(struct memory *memory, const struct frame *frame)
{
	uint64_t ra;
	return frame->ra_slot &&
	       memory_word(memory, frame->sp + (uint64_t)(int64_t)frame->ra_slot, &ra) &&
	       cpu_return_address(ra) == frame->pc &&
	       (!frame->bp_slot || has(memory, frame, frame->bp_slot, frame->bp)) &&
	       (!frame->sp_slot || has(memory, frame, frame->sp_slot, frame->sp));
}

static NOT_LOOP size_t count_true_with_care(struct memory memory,
					    const struct frames *frames, uint64_t sp)
{
	const struct frame *kept = frames->array;
	size_t i = 1;
	while (i < frames->nr_kept && kept[i].sp >= sp &&
	       is_still_made(&memory, &kept[i - 1]))
		i++;
	return i;
}

static IN_LOOP uint64_t word_of(const struct frame *frame, int32_t slot)
{
	return memory_at(frame->sp + (uint64_t)(int64_t)slot);
}

/* How many of the kept frames, from the outermost inwards, follow from each other still. Those
   below `sp` are over, and the stack that they were on need not be there any more. The words that
   made a frame lie above the sp of the one that it was made from. */
static IN_LOOP size_t count_true(const struct memory *memory, const struct frames *frames,
				 uint64_t sp)
{
	const struct frame *frame = frames->array;
	const struct frame *last = frame + frames->nr_kept - 1;
	if (frames->nr_kept == 0 || frame->sp < sp)
		return 0;
	if (!memory_has(memory, sp, frames->top))
		return count_true_with_care(*memory, frames, sp);
	for (; frame < last && frame[1].sp >= sp; frame++)
		if (!frame->ra_slot ||
		    cpu_return_address(word_of(frame, frame->ra_slot)) != frame->pc ||
		    (frame->bp_slot && word_of(frame, frame->bp_slot) != frame->bp) ||
		    (frame->sp_slot && word_of(frame, frame->sp_slot) != frame->sp))
			break;
	return (size_t)(frame - frames->array) + 1;
}

/* Steps that the rule's word tells; false if it cannot be this easy. */
static IN_LOOP bool step_quick(struct walk *walk, struct rule rule,
			       const struct frame *callee, struct frame *caller)
{
	struct memory *memory = &walk->memory;
	uint64_t base = rule_kind(rule) == RULE_SP ? callee->sp : callee->bp;
	uint64_t cfa = base + (uint64_t)rule_cfa(rule);
	uint64_t bp_base = cfa;
	uint64_t cfa_at = 0;
	if (rule_kind(rule) == RULE_AT_BP) {
		bp_base = base;
		cfa_at = cfa;
		if (cfa_at < callee->sp || !memory_word(memory, cfa_at, &cfa))
			return false;
	}
	int32_t bp_slot = rule_bp(rule);
	uint64_t ra_at = cfa + (uint64_t)(int64_t)rule_ra(rule);
	uint64_t bp_at = bp_base + (uint64_t)(int64_t)bp_slot;
	uint64_t ra;
	caller->bp = callee->bp;
	if (cfa <= callee->sp || ra_at < callee->sp || !memory_word(memory, ra_at, &ra) ||
	    (bp_slot && (bp_at < callee->sp || !memory_word(memory, bp_at, &caller->bp))))
		return false;
	caller->pc = cpu_return_address(ra);
	caller->sp = cfa;
	caller->ra_slot = rule_ra(rule);
	caller->bp_slot = bp_slot ? (int32_t)(bp_at - cfa) : 0;
	caller->sp_slot = cfa_at ? (int32_t)(cfa_at - cfa) : 0;
	return true;
}

static bool is_state_of(const struct cpu_registers *registers, const struct frame *frame)
{
	const uint64_t *values = registers->values;
	return registers->known && values[CPU_PC] == frame->pc &&
	       values[CPU_SP] == frame->sp && values[CPU_BP] == frame->bp;
}

/* Registers other than the quick ones are known of the first frame, and where the last step was
   a full one too. */
static void take_state(struct walk *walk, const struct frame *frame)
{
	struct cpu_registers *registers = &walk->registers;
	if (is_state_of(registers, frame))
		return;
	cpu_take(registers, walk->first);
	registers->values[CPU_PC] |= PC_EXACT;
	if (is_state_of(registers, frame))
		return;
	registers->known = 0;
	cpu_set(registers, CPU_PC, frame->pc);
	cpu_set(registers, CPU_SP, frame->sp);
	cpu_set(registers, CPU_BP, frame->bp);
}

static NOT_LOOP enum step_end step_slow(struct walk *walk, const struct frame *callee,
					struct frame *caller)
{
	take_state(walk, callee);
	enum step_end end = step_full(&walk->registers, &walk->memory);
	*caller = (struct frame){
		.pc = walk->registers.values[CPU_PC],
		.sp = walk->registers.values[CPU_SP],
		.bp = walk->registers.values[CPU_BP],
	};
	if (end == STEP_DONE && caller->pc == callee->pc && caller->sp == callee->sp)
		return STEP_NO_RULE; /* it would go on like this for ever */
	return end;
}

static IN_LOOP enum step_end step(struct walk *walk, const struct frame *callee,
				  struct frame *caller)
{
	enum step_end end = STEP_DONE;
	struct rule rule = rule_at(walk, callee->pc);
	if (rule_kind(rule) == RULE_END)
		return STEP_NO_CALLER;
	if (rule_kind(rule) == RULE_NONE)
		return STEP_NO_RULE;
	if (rule_kind(rule) == RULE_SLOW || walk->all_registers ||
	    !step_quick(walk, rule, callee, caller))
		end = step_slow(walk, callee, caller);
	return end == STEP_DONE && caller->pc == 0 ? STEP_NO_CALLER : end;
}

static bool is_own(const struct walk *walk, uint64_t pc)
{
	const struct unwind_options *options = walk->options;
	return (pc & ~PC_EXACT) - options->own_start <
	       options->own_end - options->own_start;
}

/* Whether a kept frame has the state of a new one. Kept ones are met from the innermost of them
   outwards, for sp grows. */
static IN_LOOP bool meets(const struct walk *walk, const struct frame *frame,
			  size_t *nr_candidates)
{
	const struct frame *kept = walk->frames->array;
	while (*nr_candidates && kept[*nr_candidates - 1].sp < frame->sp)
		--*nr_candidates;
	if (*nr_candidates == 0)
		return false;
	const struct frame *candidate = &kept[*nr_candidates - 1];
	return candidate->sp == frame->sp && candidate->pc == frame->pc &&
	       candidate->bp == frame->bp;
}

/* It is the same frame, but another callee led to it, by other words. */
static void met_from(struct frame *kept, const struct frame *frame)
{
	kept->ra_slot = frame->ra_slot;
	kept->bp_slot = frame->bp_slot;
	kept->sp_slot = frame->sp_slot;
}

static enum unwind_end end_of(enum step_end end)
{
	static const enum unwind_end ends[] = {
		[STEP_NO_CALLER] = UNWIND_COMPLETE,
		[STEP_NO_RULE] = UNWIND_NO_RULE,
		[STEP_UNKNOWN] = UNWIND_NO_RULE,
		[STEP_NO_MEMORY] = UNWIND_NO_MEMORY,
	};
	return ends[end];
}

/* New frames until one is met, or there is no more. The runtime's own, which are innermost, are
   stepped over. */
static enum step_end walk_new(struct walk *walk, struct frame *frame, size_t *nr_met,
			      bool *is_cut)
{
	struct frames *frames = walk->frames;
	size_t nr_candidates = frames->nr_true;
	bool is_outside = false;
	enum step_end end = STEP_DONE;
	for (; end == STEP_DONE; frame = frames_next(frames)) {
		if (!frame)
			return STEP_NO_MEMORY;
		is_outside = is_outside || !is_own(walk, frame->pc);
		if (!is_outside) {
			struct frame own = *frame;
			end = step(walk, &own, frame);
			continue;
		}
		if (meets(walk, frame, &nr_candidates)) {
			met_from(&frames->array[nr_candidates - 1], frame);
			*nr_met = nr_candidates;
			break;
		}
		*is_cut = frames->nr_new == walk->options->max_frames;
		if (*is_cut)
			break;
		frames_push(frames);
		end = step(walk, frame, frame - 1);
	}
	return end;
}

/* A stack that ended in code without rules does so no more when a library is loaded there. */
static bool ends_as_before(struct walk *walk, enum unwind_end kept_end)
{
	return kept_end != UNWIND_NO_RULE ||
	       (walk->frames->nr_kept &&
		rule_kind(rule_at(walk, walk->frames->array[0].pc)) == RULE_NONE);
}

enum unwind_end walk_stack(struct walk *walk, enum unwind_end kept_end, size_t *nr_met)
{
	struct frames *frames = walk->frames;
	struct frame *first = frames_begin(frames);
	*first = (struct frame){
		.pc = walk->first->pc | PC_EXACT,
		.sp = walk->first->sp,
		.bp = cpu_bp(walk->first),
	};
	frames->nr_true = ends_as_before(walk, kept_end)
				  ? count_true(&walk->memory, frames, first->sp)
				  : 0;
	*nr_met = 0;
	bool is_cut = false;
	enum step_end end = walk_new(walk, first, nr_met, &is_cut);
	if (end == STEP_UNKNOWN && !walk->all_registers) {
		walk->all_registers = true;
		frames->nr_kept = frames->nr_true; /* the others may be overwritten */
		return walk_stack(walk, kept_end, nr_met);
	}
	frames_join(frames, *nr_met);
	if (*nr_met)
		return kept_end;
	return is_cut ? UNWIND_CUT : end_of(end);
}
