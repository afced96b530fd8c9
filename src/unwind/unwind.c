/*
 * unwind: see unwind.h.
 *
 * A frame is known by its state on arrival: pc, sp and bp. A plain step (steps.h) makes the
 * caller's state of that and of the words at its return address and saved bp; so a kept frame
 * still leads to the kept frame outside it if these words are what they were. Kept frames lie
 * outermost first. A new stack is compared from there inwards; then it is walked from the
 * innermost frame outwards until its state is that of a frame which passed. All outside that is
 * the same, by induction. A frame whose step is not plain is not kept, nor is any inside it.
 *
 * Only the thread itself uses its unwind_thread, and no handler that interrupted it while it did.
 * The generation of the process is read once at each stack.
 */
#include "unwind/unwind.h"

#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/syscall.h>

#include "raw/pages.h"
#include "raw/system_call.h"
#include "unwind/expression.h"
#include "unwind/steps.h"

#define EXACT        (UINT64_C(1) << 63) /* the pc of an interrupted frame: raw/session.h */
#define FIRST_FRAMES 1024u
#define NR_RANGES    8u
#define NR_RECENT    256u /* a power of two */

/* Registers by DWARF's numbers: System V ABI, AMD64 supplement, figure 3.36. */
enum { BX = 3, BP = 6, SP = 7, R12 = 12, R13 = 13, R14 = 14, R15 = 15, RETURN = 16 };

struct unwind {
	struct unwind_options options;
	struct steps *steps;
	_Atomic uint32_t generation;
};

struct state {
	uint64_t pc, sp, bp;
};

struct frame {
	struct state at;
	uint64_t bp_slot; /* where its step finds the caller's bp; 0: it is the same */
	uint32_t node;
	bool plain; /* its step is, or it has none by its pc alone */
};

struct range {
	uint64_t low, high;
};

/* A node that was asked for lately. */
struct recent {
	uint64_t address;
	uint32_t parent, node; /* node 0: none */
};

struct unwind_thread {
	struct unwind *unwind;
	struct frame *kept;  /* outermost first */
	struct frame *fresh; /* of the stack that is being walked: innermost first */
	uint32_t nr_kept, nr_fresh, capacity; /* of each */
	uint32_t generation;
	enum unwind_end end;
	bool busy;
	unsigned next_range;
	struct range range; /* of the stack that is being walked */
	struct range ranges[NR_RANGES];
	struct recent recent[NR_RECENT];
};

struct unwind *unwind_create(const struct unwind_options *options)
{
	struct unwind *unwind = pages_map(sizeof(*unwind));
	if (!unwind)
		return NULL;
	unwind->options = *options;
	unwind->steps = steps_create();
	return unwind->steps ? unwind : NULL;
}

void unwind_forget(struct unwind *unwind)
{
	steps_forget(unwind->steps);
	unwind_forget_stacks(unwind);
}

void unwind_forget_stacks(struct unwind *unwind)
{
	atomic_fetch_add(&unwind->generation, 1);
}

/* --- bounds of stacks ------------------------------------------------------------------ */

static bool has_hex(const char **text, const char *end, uint64_t *value)
{
	*value = 0;
	const char *begin = *text;
	for (; *text < end; ++*text) {
		char digit = **text;
		if (digit >= '0' && digit <= '9')
			*value = *value << 4 | (uint64_t)(digit - '0');
		else if (digit >= 'a' && digit <= 'f')
			*value = *value << 4 | (uint64_t)(digit - 'a' + 10);
		else
			break;
	}
	return *text > begin;
}

/* "low-high rw…" with low <= address < high */
static bool line_holds(const char *line, const char *end, uint64_t address,
		       struct range *range)
{
	return has_hex(&line, end, &range->low) && line < end && *line++ == '-' &&
	       has_hex(&line, end, &range->high) && end - line > 2 && line[1] == 'r' &&
	       address >= range->low && address < range->high;
}

/* Reads on from `left` kept bytes; the bytes of whole lines are looked at, the rest is kept. */
static bool scan_maps(int fd, uint64_t address, struct range *range)
{
	char text[2048];
	size_t left = 0;
	for (;;) {
		long got = system_call(SYS_read, fd, (long)(text + left),
				       (long)(sizeof(text) - left), 0, 0, 0);
		if (got <= 0)
			return false;
		char *line = text, *end = text + left + (size_t)got, *stop;
		while ((stop = memchr(line, '\n', (size_t)(end - line)))) {
			if (line_holds(line, stop, address, range))
				return true;
			line = stop + 1;
		}
		left = (size_t)(end - line);
		if (left == sizeof(text))
			return false; /* a path longer than any */
		memmove(text, line, left);
	}
}

/* The mapping that holds an address, by the kernel's word. */
static bool ask_range(uint64_t address, struct range *range)
{
	int fd = (int)system_call(SYS_openat, AT_FDCWD, (long)"/proc/self/maps",
				  O_RDONLY | O_CLOEXEC, 0, 0, 0);
	if (fd < 0)
		return false;
	bool found = scan_maps(fd, address, range);
	system_call(SYS_close, fd, 0, 0, 0, 0, 0);
	return found;
}

/* Makes the range that holds sp the current one. */
static bool enter_range(struct unwind_thread *thread, uint64_t sp)
{
	if (sp - thread->range.low < thread->range.high - thread->range.low)
		return true;
	for (unsigned i = 0; i < NR_RANGES; i++) {
		struct range *range = &thread->ranges[i];
		if (sp - range->low < range->high - range->low) {
			thread->range = *range;
			return true;
		}
	}
	if (!ask_range(sp, &thread->range))
		return false;
	thread->ranges[thread->next_range++ % NR_RANGES] = thread->range;
	return true;
}

static bool load(const struct range *range, uint64_t address, uint64_t *word)
{
	if (address - range->low > range->high - range->low - sizeof(*word) ||
	    address % sizeof(*word))
		return false;
	*word = *(const uint64_t *)(uintptr_t)address;
	return true;
}

/* --- threads --------------------------------------------------------------------------- */

static struct frame *map_frames(uint32_t nr)
{
	return pages_map((size_t)nr * 2 * sizeof(struct frame));
}

struct unwind_thread *unwind_thread_create(struct unwind *unwind, uint64_t low,
					   uint64_t high)
{
	struct unwind_thread *thread = pages_map(sizeof(*thread));
	struct frame *frames = map_frames(FIRST_FRAMES);
	if (!thread || !frames)
		return NULL;
	*thread = (struct unwind_thread){
		.unwind = unwind,
		.kept = frames,
		.fresh = frames + FIRST_FRAMES,
		.capacity = FIRST_FRAMES,
		.generation = atomic_load(&unwind->generation),
		.ranges = { { low, high } },
		.next_range = 1,
	};
	return thread;
}

void unwind_thread_destroy(struct unwind_thread *thread)
{
	if (!thread)
		return;
	pages_unmap(thread->kept, (size_t)thread->capacity * 2 * sizeof(struct frame));
	pages_unmap(thread, sizeof(*thread));
}

static bool grow(struct unwind_thread *thread)
{
	uint32_t capacity = thread->capacity * 2;
	struct frame *frames = map_frames(capacity);
	if (!frames)
		return false;
	memcpy(frames, thread->kept, thread->nr_kept * sizeof(*frames));
	memcpy(frames + capacity, thread->fresh, thread->nr_fresh * sizeof(*frames));
	pages_unmap(thread->kept, (size_t)thread->capacity * 2 * sizeof(*frames));
	thread->kept = frames;
	thread->fresh = frames + capacity;
	thread->capacity = capacity;
	return true;
}

/* --- walking --------------------------------------------------------------------------- */

/* A frame whose caller is outside sp comes after the current one. */
static bool step_plainly(struct unwind_thread *thread, const struct step *step,
			 struct state *state, uint64_t *bp_slot)
{
	uint64_t cfa = (step->cfa_by_bp ? state->bp : state->sp) +
		       (uint64_t)(int64_t)step->cfa_offset;
	uint64_t back, bp = state->bp;
	*bp_slot = step->bp_saved ? cfa + (uint64_t)(int64_t)step->bp_offset : 0;
	if (cfa <= state->sp || !load(&thread->range, cfa - 8, &back) ||
	    (step->bp_saved && !load(&thread->range, *bp_slot, &bp)))
		return false;
	*state = (struct state){ .pc = back, .sp = cfa, .bp = bp };
	return true;
}

struct stack_memory {
	struct expression_memory base;
	const struct range *range;
};

static bool read_stack(const struct expression_memory *memory, uint64_t address,
		       uint64_t *word)
{
	return load(((const struct stack_memory *)memory)->range, address, word);
}

/* One register of the caller. */
static bool apply(const struct stack_memory *memory, const struct frame_rule *rule,
		  const uint64_t *registers, uint64_t cfa, uint64_t *value)
{
	uint64_t address;
	switch (rule->kind) {
	case FRAME_SAME:
		return true;
	case FRAME_UNDEFINED:
		*value = 0;
		return true;
	case FRAME_AT_OFFSET:
		return load(memory->range, cfa + (uint64_t)(int64_t)rule->offset, value);
	case FRAME_IS_OFFSET:
		*value = cfa + (uint64_t)(int64_t)rule->offset;
		return true;
	case FRAME_IN_REGISTER:
		if ((unsigned)rule->offset >= FRAME_NR_REGISTERS)
			return false;
		*value = registers[rule->offset];
		return true;
	case FRAME_AT_EXPRESSION:
		return expression_value(rule->expression, registers, FRAME_NR_REGISTERS,
					&cfa, &memory->base, &address) &&
		       load(memory->range, address, value);
	case FRAME_IS_EXPRESSION:
		return expression_value(rule->expression, registers, FRAME_NR_REGISTERS,
					&cfa, &memory->base, value);
	}
	return false;
}

/* A step by whole rules; registers become the caller's. */
static enum unwind_end step_by_rules(struct unwind_thread *thread, uint64_t *registers,
				     uint64_t *pc)
{
	struct frame_rules rules;
	const struct stack_memory memory = { { read_stack }, &thread->range };
	if (!steps_rules(*pc & EXACT ? *pc & ~EXACT : *pc - 1, &rules))
		return UNWIND_NO_RULE;
	registers[RETURN] = *pc & ~EXACT;
	uint64_t cfa = registers[rules.cfa_register % FRAME_NR_REGISTERS] +
		       (uint64_t)(int64_t)rules.cfa_offset;
	if (rules.cfa_expression &&
	    !expression_value(rules.cfa_expression, registers, FRAME_NR_REGISTERS, NULL,
			      &memory.base, &cfa))
		return UNWIND_NO_MEMORY;
	uint64_t caller[FRAME_NR_REGISTERS];
	memcpy(caller, registers, sizeof(caller));
	caller[SP] = cfa;
	for (unsigned i = 0; i < FRAME_NR_REGISTERS; i++)
		if ((i != SP || rules.registers[i].kind != FRAME_SAME) &&
		    !apply(&memory, &rules.registers[i], registers, cfa, &caller[i]))
			return UNWIND_NO_MEMORY;
	memcpy(registers, caller, sizeof(caller));
	*pc = caller[rules.return_register] | (rules.is_signal ? EXACT : 0);
	return UNWIND_COMPLETE;
}

static void take_registers(const struct unwind_registers *from, uint64_t *registers)
{
	memset(registers, 0, FRAME_NR_REGISTERS * sizeof(*registers));
	registers[SP] = from->sp;
	registers[BP] = from->bp;
	registers[BX] = from->bx;
	registers[R12] = from->r12;
	registers[R13] = from->r13;
	registers[R14] = from->r14;
	registers[R15] = from->r15;
}

static bool is_at(const struct frame *frame, const struct state *state)
{
	return frame->at.pc == state->pc && frame->at.sp == state->sp &&
	       frame->at.bp == state->bp;
}

/* How many kept frames, from the outermost inwards, lead where they led. */
static uint32_t count_valid(const struct unwind_thread *thread, uint64_t sp)
{
	const struct frame *kept = thread->kept;
	uint32_t nr = thread->nr_kept;
	/* Frames that were left, and maybe overwritten. */
	while (nr && kept[nr - 1].at.sp < sp)
		nr--;
	uint32_t valid = nr ? 1 : 0;
	for (; valid < nr; valid++) {
		const struct frame *frame = &kept[valid], *outer = &kept[valid - 1];
		if (*(const uint64_t *)(uintptr_t)(outer->at.sp - 8) != outer->at.pc)
			break;
		if (frame->bp_slot &&
		    *(const uint64_t *)(uintptr_t)frame->bp_slot != outer->at.bp)
			break;
	}
	return valid;
}

static bool add_fresh(struct unwind_thread *thread, const struct state *state)
{
	if (thread->nr_fresh == thread->capacity && !grow(thread))
		return false;
	thread->fresh[thread->nr_fresh++] = (struct frame){ .at = *state };
	return true;
}

struct walk {
	struct unwind_thread *thread;
	const struct unwind_registers *begin;
	struct state state;
	uint64_t registers[FRAME_NR_REGISTERS];
	bool has_registers; /* `registers` are of this frame */
	uint32_t nr_steps;
	bool met; /* a kept frame */
};

/* Goes from the very first frame, with all registers, to the one that the walk is at. */
static bool fetch_registers(struct walk *walk)
{
	struct unwind_thread *thread = walk->thread;
	uint64_t pc = walk->begin->pc | EXACT;
	take_registers(walk->begin, walk->registers);
	for (uint32_t i = 0; i <= walk->nr_steps + 1; i++) {
		if (!enter_range(thread, walk->registers[SP]))
			return false;
		walk->has_registers = walk->registers[SP] == walk->state.sp &&
				      pc == walk->state.pc;
		if (walk->has_registers)
			return true;
		if (step_by_rules(thread, walk->registers, &pc) != UNWIND_COMPLETE)
			return false;
	}
	return false;
}

static enum unwind_end end_at(struct walk *walk, enum unwind_end end)
{
	walk->state.pc = 0;
	return end;
}

/* From one frame to its caller; a pc of 0 is the end. */
static enum unwind_end step_any(struct walk *walk)
{
	struct unwind_thread *thread = walk->thread;
	struct frame own,
		*frame = thread->nr_fresh ? &thread->fresh[thread->nr_fresh - 1] : &own;
	uint64_t pc = walk->state.pc;
	struct step step =
		steps_at(thread->unwind->steps, pc & EXACT ? pc & ~EXACT : pc - 1);
	frame->plain = step.kind != STEP_BY_RULES;
	walk->nr_steps++;
	if (step.kind == STEP_UNKNOWN)
		return end_at(walk, UNWIND_NO_RULE);
	if (step.kind == STEP_OUTERMOST)
		return end_at(walk, UNWIND_COMPLETE);
	if (step.kind == STEP_PLAIN) {
		walk->has_registers = false;
		bool stepped = step_plainly(thread, &step, &walk->state, &frame->bp_slot);
		frame->plain = stepped && walk->state.pc;
		return stepped ? UNWIND_COMPLETE : end_at(walk, UNWIND_NO_MEMORY);
	}
	if (!walk->has_registers && !fetch_registers(walk))
		return end_at(walk, UNWIND_NO_MEMORY);
	enum unwind_end end = step_by_rules(thread, walk->registers, &pc);
	walk->state = (struct state){ pc, walk->registers[SP], walk->registers[BP] };
	return end == UNWIND_COMPLETE ? end : end_at(walk, end);
}

static bool is_own(const struct unwind *unwind, uint64_t pc)
{
	return (pc & ~EXACT) - unwind->options.own_start <
	       unwind->options.own_end - unwind->options.own_start;
}

/* Plain steps whose pcs are known, one after the other: what almost every stack is made of. */
static void walk_plainly(struct walk *walk)
{
	struct unwind_thread *thread = walk->thread;
	const struct steps *steps = thread->unwind->steps;
	const struct range range = thread->range;
	const uint64_t words = range.high - range.low - sizeof(uint64_t);
	const struct frame *kept = thread->kept + thread->nr_kept;
	struct frame *fresh = thread->fresh + thread->nr_fresh;
	const struct frame *limit = thread->fresh + thread->capacity;
	struct state at = walk->state;
	const struct step *step;
	for (;; fresh++) {
		while (kept > thread->kept && kept[-1].at.sp < at.sp)
			kept--;
		walk->met = kept > thread->kept && is_at(kept - 1, &at);
		if (walk->met || fresh == limit ||
		    !(step = steps_kept(steps, at.pc - 1)) || step->kind != STEP_PLAIN)
			break;
		uint64_t cfa = (step->cfa_by_bp ? at.bp : at.sp) +
			       (uint64_t)(int64_t)step->cfa_offset;
		uint64_t slot = step->bp_saved ? cfa + (uint64_t)(int64_t)step->bp_offset
					       : 0;
		if (cfa <= at.sp || cfa % 8 || cfa - 8 - range.low > words || slot % 8 ||
		    (slot && slot - range.low > words))
			break;
		uint64_t back = ((const uint64_t *)(uintptr_t)cfa)[-1];
		fresh->at.pc = at.pc;
		fresh->at.sp = at.sp;
		fresh->at.bp = at.bp;
		fresh->bp_slot = slot;
		fresh->plain = back != 0;
		at.bp = slot ? *(const uint64_t *)(uintptr_t)slot : at.bp;
		at.sp = cfa;
		at.pc = back;
		if (!back)
			break;
	}
	/* The one that ended the run is complete but for its node. */
	if (!at.pc)
		fresh++;
	walk->nr_steps += (uint32_t)(fresh - thread->fresh) - thread->nr_fresh;
	walk->has_registers = walk->has_registers && at.sp == walk->state.sp;
	walk->state = at;
	thread->nr_kept = (uint32_t)(kept - thread->kept);
	thread->nr_fresh = (uint32_t)(fresh - thread->fresh);
}

/* Collects the frames that are new, up to a kept one or the end. */
static enum unwind_end walk_fresh(struct walk *walk)
{
	struct unwind_thread *thread = walk->thread;
	uint32_t max = thread->unwind->options.max_frames;
	enum unwind_end end = UNWIND_COMPLETE;
	bool inside = true;
	while (walk->state.pc & ~EXACT) {
		inside = inside && is_own(thread->unwind, walk->state.pc);
		if (!inside)
			walk_plainly(walk);
		if (walk->met || !walk->state.pc)
			return UNWIND_COMPLETE;
		if (thread->nr_fresh >= max) {
			thread->nr_fresh = max;
			return UNWIND_CUT;
		}
		if (!inside && !add_fresh(thread, &walk->state))
			return UNWIND_NO_MEMORY;
		end = step_any(walk);
		if (walk->state.pc && !enter_range(thread, walk->state.sp))
			return UNWIND_NO_MEMORY;
	}
	return end;
}

static uint32_t child_of(struct unwind_thread *thread, uint32_t parent, uint64_t address)
{
	const struct unwind_options *options = &thread->unwind->options;
	uint64_t hash = (address ^ (uint64_t)parent << 20) * 0x9e3779b97f4a7c15u;
	struct recent *recent = &thread->recent[hash >> 56 & (NR_RECENT - 1)];
	if (recent->address != address || recent->parent != parent || !recent->node)
		*recent = (struct recent){
			.address = address,
			.parent = parent,
			.node = options->child(options->context, parent, address),
		};
	return recent->node;
}

/* Word by word, as it was written: wider loads would wait for these stores to be done. */
static inline void copy_frame(struct frame *to, const struct frame *from)
{
	to->at.pc = from->at.pc;
	to->at.sp = from->at.sp;
	to->at.bp = from->at.bp;
	to->bp_slot = from->bp_slot;
	to->node = from->node;
	to->plain = from->plain;
}

/* Gives the new frames their nodes, from the outermost inwards, and keeps what can be. */
static uint32_t keep_fresh(struct unwind_thread *thread, bool keep)
{
	uint32_t nr = thread->nr_kept;
	uint32_t node = nr ? thread->kept[nr - 1].node : 0;
	keep = keep && (nr + thread->nr_fresh <= thread->capacity || grow(thread));
	for (uint32_t i = thread->nr_fresh; i-- > 0;) {
		struct frame *frame = &thread->fresh[i];
		node = child_of(thread, node, frame->at.pc);
		frame->node = node;
		keep = keep && frame->plain;
		if (keep)
			copy_frame(&thread->kept[nr++], frame);
	}
	thread->nr_kept = nr;
	return node;
}

static void forget_kept(struct unwind_thread *thread, uint32_t generation)
{
	struct range own = thread->ranges[0];
	memset(thread->ranges, 0, sizeof(thread->ranges));
	memset(thread->recent, 0, sizeof(thread->recent));
	thread->ranges[0] = own;
	thread->next_range = 1;
	thread->nr_kept = 0;
	thread->generation = generation;
}

uint32_t unwind_stack(struct unwind_thread *thread,
		      const struct unwind_registers *registers)
{
	/* The last call was jumped out of: what it left is not known. */
	if (thread->busy)
		thread->nr_kept = 0;
	thread->busy = true;
	atomic_signal_fence(memory_order_seq_cst);
	uint32_t generation =
		atomic_load_explicit(&thread->unwind->generation, memory_order_relaxed);
	if (generation != thread->generation)
		forget_kept(thread, generation);
	/* Its registers stay as they are: to set them to 0 takes longer than many a walk. */
	struct walk walk;
	walk.thread = thread;
	walk.begin = registers;
	walk.state.pc = registers->caller_pc;
	walk.state.sp = registers->caller_sp;
	walk.state.bp = registers->caller_bp;
	walk.nr_steps = 0;
	walk.has_registers = walk.met = false;
	thread->nr_fresh = 0;
	uint32_t node = 0;
	thread->end = UNWIND_NO_MEMORY;
	struct range before = thread->range;
	if (enter_range(thread, registers->sp)) {
		if (before.low != thread->range.low || before.high != thread->range.high)
			thread->nr_kept = 0;
		thread->nr_kept = count_valid(thread, registers->sp);
		thread->end = walk_fresh(&walk);
		if (!walk.met)
			thread->nr_kept = 0;
		node = keep_fresh(thread, thread->end <= UNWIND_NO_RULE);
	}
	atomic_signal_fence(memory_order_seq_cst);
	thread->busy = false;
	return node;
}

enum unwind_end unwind_thread_end(const struct unwind_thread *thread)
{
	return thread->end;
}
