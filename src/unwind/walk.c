/* The quick walker, and when it needs help. */
#include "unwind/walk.h"

#include "unwind/cpu.h"
#include "unwind/step.h"

/* So many places a step may need: its frame's, one for another word, the caller's. */
#define ROOM_OF_STEP 3

/* What is done for each frame is to be one loop, and what is seldom done no part of it. */
#define IN_LOOP  __attribute__((always_inline)) inline
#define NOT_LOOP __attribute__((noinline, cold))

static NOT_LOOP struct rule learn_rule(struct walk *walk, uint64_t pc)
{
	struct rule rule = rules_learn(walk->rules, pc, walk->writer);
	walk->table = rules_table(walk->rules);
	return rule;
}

static IN_LOOP struct rule rule_at(struct walk *walk, const struct kept *frame)
{
	uint64_t pc = frame->pc & ~PC_HIDDEN;
	struct rule rule = { RULE_UNKNOWN };
	if (walk->table)
		rule = rule_table_find(walk->table, pc);
	return rule_kind(rule) == RULE_UNKNOWN ? learn_rule(walk, pc) : rule;
}

/* --- steps -------------------------------------------------------------------------- */

/* A frame is no larger, and what tells of it is in it: slots reach so far, and what is kept of a frame
   lies below its caller's sp. */
#define MOST_FRAME_BYTES (UINT64_C(1) << 30)

static IN_LOOP bool is_inside(const struct kept *frame, uint64_t at, uint64_t cfa)
{
	return at >= frame->sp && at < cfa;
}

/* What a step read, at an address inside the frame. */
static IN_LOOP void note_word(struct kept *frame, unsigned i, uint64_t at, uint64_t word)
{
	frame->slots[i] = (int32_t)(at - frame->sp);
	frame->words[i] = word;
}

/* The caller's bp lies at the second slot. */
static IN_LOOP int16_t bp_word(const struct kept *frame)
{
	int32_t slot = frame->slots[1];
	int32_t words = slot / (int32_t)sizeof(uint64_t);
	return slot % (int32_t)sizeof(uint64_t) == 0 && words <= INT16_MAX
		       ? (int16_t)words
		       : KEPT_FAR_BP;
}

/* Steps that the rule's word tells. Returns where the caller is; NULL if it cannot be this easy. */
static IN_LOOP struct kept *step_quick(struct walk *walk, struct rule rule,
				       struct kept *callee)
{
	struct memory *memory = &walk->memory;
	struct kept *caller = callee + 1;
	uint64_t base = rule_kind(rule) == RULE_SP ? callee->sp : callee->bp;
	uint64_t cfa = base + (uint64_t)rule_cfa(rule);
	uint64_t bp_base = cfa;
	if (rule_kind(rule) == RULE_AT_BP) {
		uint64_t cfa_at = cfa;
		bp_base = base;
		if (cfa_at < callee->sp || !memory_word(memory, cfa_at, &cfa) ||
		    cfa_at >= cfa)
			return NULL;
		caller->pc = 0;
		caller->sp = callee->sp;
		note_word(caller, 0, cfa_at, cfa);
		note_word(caller, 1, cfa_at, cfa);
		caller->uses_bp = false;
		caller->bp_word = KEPT_SAME_BP;
		caller++;
	}
	int32_t bp_slot = rule_bp(rule);
	bool has_bp = bp_slot || rule_kind(rule) == RULE_AT_BP;
	uint64_t ra_at = cfa + (uint64_t)(int64_t)rule_ra(rule);
	uint64_t bp_at = has_bp ? bp_base + (uint64_t)(int64_t)bp_slot : ra_at;
	uint64_t ra, bp;
	if (cfa - callee->sp > MOST_FRAME_BYTES || !is_inside(callee, ra_at, cfa) ||
	    !memory_word(memory, ra_at, &ra) || !is_inside(callee, bp_at, cfa) ||
	    !memory_word(memory, bp_at, &bp))
		return NULL;
	note_word(callee, 0, ra_at, ra);
	note_word(callee, 1, bp_at, bp);
	callee->uses_bp = rule_kind(rule) != RULE_SP;
	callee->bp_word = has_bp ? bp_word(callee) : KEPT_SAME_BP;
	caller->pc = cpu_return_address(ra);
	caller->sp = cfa;
	caller->bp = has_bp ? bp : callee->bp;
	return caller;
}

static bool is_state_of(const struct cpu_registers *registers, const struct kept *frame)
{
	const uint64_t *values = registers->values;
	return registers->known && values[CPU_PC] == (frame->pc & ~PC_HIDDEN) &&
	       values[CPU_SP] == frame->sp && values[CPU_BP] == frame->bp;
}

/* Registers other than the quick ones are known of the first frame, and where the last step was
   a full one too. */
static void take_state(struct walk *walk, const struct kept *frame)
{
	struct cpu_registers *registers = &walk->registers;
	if (is_state_of(registers, frame))
		return;
	cpu_take(registers, walk->first);
	registers->values[CPU_PC] |= PC_EXACT;
	if (is_state_of(registers, frame))
		return;
	registers->known = 0;
	cpu_set(registers, CPU_PC, frame->pc & ~PC_HIDDEN);
	cpu_set(registers, CPU_SP, frame->sp);
	cpu_set(registers, CPU_BP, frame->bp);
}

/* Nobody knows what such a step has read. */
static NOT_LOOP enum step_end step_slow(struct walk *walk, struct kept *callee)
{
	take_state(walk, callee);
	enum step_end end = step_full(&walk->registers, &walk->memory);
	struct kept *caller = callee + 1;
	caller->pc = walk->registers.values[CPU_PC];
	caller->sp = walk->registers.values[CPU_SP];
	caller->bp = walk->registers.values[CPU_BP];
	walk->unkept = caller;
	if (end == STEP_DONE && caller->pc == (callee->pc & ~PC_HIDDEN) &&
	    caller->sp == callee->sp)
		return STEP_NO_RULE; /* it would go on like this for ever */
	return end;
}

/* From *frame, which becomes its caller. */
static IN_LOOP enum step_end step(struct walk *walk, struct kept **frame)
{
	enum step_end end = STEP_DONE;
	struct rule rule = rule_at(walk, *frame);
	struct kept *caller = NULL;
	if (rule_kind(rule) == RULE_END)
		return STEP_NO_CALLER;
	if (rule_kind(rule) == RULE_NONE)
		return STEP_NO_RULE;
	if (rule_kind(rule) != RULE_SLOW && !walk->all_registers)
		caller = step_quick(walk, rule, *frame);
	if (!caller) {
		end = step_slow(walk, *frame);
		caller = *frame + 1;
	}
	if (end != STEP_DONE)
		return end;
	if (caller->pc == 0)
		return STEP_NO_CALLER;
	*frame = caller;
	return STEP_DONE;
}

/* --- kept frames -------------------------------------------------------------------- */

/* A stack that ended in code without rules does so no more when a library is loaded there. */
static bool ends_as_before(struct walk *walk, const struct kept *outermost)
{
	return outermost->words[0] != UNWIND_NO_RULE ||
	       rule_kind(rule_at(walk, outermost)) == RULE_NONE;
}

/* The bp of the caller of a frame whose words are as they were; it becomes one of them. */
static uint64_t caller_bp(struct kept *frame)
{
	if (frame->bp_word == KEPT_SAME_BP)
		return frame->bp;
	if (frame->bp_word != KEPT_FAR_BP) {
		frame->slots[1] = frame->bp_word * (int32_t)sizeof(uint64_t);
		frame->words[1] = kept_word(frame, 1);
	}
	return frame->words[1];
}

/* Makes new frames of those from `known` up to `changed`, whose step is to be made again. Returns the
   new one of that; NULL if there is no room. */
static NOT_LOOP struct kept *copy(const struct walk *walk, struct kept *to,
				  const struct kept *known, const struct kept *changed,
				  uint32_t *nr_shown)
{
	const struct kept *array = walk->frames->array;
	uint64_t bp = to->bp;
	for (;; to++) {
		if (to + ROOM_OF_STEP > array + walk->frames->room)
			return NULL;
		*to = *known;
		to->bp = bp;
		bp = caller_bp(to);
		if (known == changed)
			break;
		*nr_shown += kept_is_shown(known);
		known = known->run ? known + 1 : &array[known->caller];
	}
	if (to->pc)
		return to;
	to--; /* the other word was the one before's */
	*nr_shown -= kept_is_shown(to);
	return to;
}

/* --- walking ------------------------------------------------------------------------ */

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

static IN_LOOP struct kept *first_frame(const struct walk *walk)
{
	struct kept *frame = &walk->frames->array[walk->frames->nr];
	frame->pc = walk->first->pc | PC_EXACT;
	frame->sp = walk->first->sp;
	frame->bp = cpu_bp(walk->first);
	return frame;
}

/* A kept frame of that state, by which the stack is not too deep. */
static IN_LOOP const struct kept *known_frame(const struct walk *walk,
					      const struct kept *frame, uint32_t nr_shown)
{
	if (!walk->may_keep || frame->sp < walk->first->sp)
		return NULL;
	const struct kept *known =
		kept_find(walk->frames, frame->pc, frame->sp, frame->bp);
	return known && nr_shown + known->depth <= walk->options->max_frames ? known
									     : NULL;
}

/* New frames until one is met, or there is no more. */
static IN_LOOP enum walk_end walk_new(struct walk *walk, struct walked *walked,
				      enum step_end *why)
{
	const struct kept *end = walk->frames->array + walk->frames->room;
	struct kept *frame = walked->first;
	bool is_outside = false;
	uint32_t nr_shown = 0;
	do {
		if (frame + ROOM_OF_STEP > end)
			return WALK_NO_ROOM;
		is_outside = is_outside || !walk_is_own(walk->options, frame->pc);
		frame->pc |= is_outside ? 0 : PC_HIDDEN;
		const struct kept *known = known_frame(walk, frame, nr_shown);
		if (known) {
			const struct kept *changed = kept_check(walk->frames, known);
			if (kept_is_outermost(changed) && ends_as_before(walk, changed)) {
				walked->base = known;
				walked->last = frame - 1; /* or another word of it */
				walked->end = (enum unwind_end)changed->words[0];
				return WALK_DONE;
			}
			/* Where all registers are wanted no step is passed over. */
			if (!walk->all_registers) {
				frame = copy(walk, frame, known, changed, &nr_shown);
				if (!frame)
					return WALK_NO_ROOM;
				is_outside = kept_is_shown(frame);
			}
		}
		if (is_outside && nr_shown++ == walk->options->max_frames) {
			walked->end = UNWIND_CUT;
			return WALK_DONE;
		}
		walked->last = frame;
		*why = step(walk, &frame);
	} while (*why == STEP_DONE);
	walked->end = end_of(*why);
	return WALK_DONE;
}

enum walk_end walk_stack(struct walk *walk, struct walked *walked)
{
	enum step_end why = STEP_DONE;
	walked->first = first_frame(walk);
	walked->last = walked->first - 1;
	walked->base = NULL;
	walk->unkept = walked->first;
	enum walk_end end = walk_new(walk, walked, &why);
	if (end == WALK_DONE && why == STEP_UNKNOWN && !walk->all_registers) {
		walk->all_registers = true;
		return walk_stack(walk, walked);
	}
	walked->kept = walk->unkept;
	return end;
}
