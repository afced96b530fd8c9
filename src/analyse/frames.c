/* frames: see frames.h. */
#include "analyse/frames.h"

#include <sys/user.h>
#include <time.h>

#include "unwind/caller.h"
#include "unwind/rule.h"

static uint64_t now_ns(void)
{
	struct timespec now;
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

void frame_finder_init(struct frame_finder *finder, struct symbols *symbols)
{
	*finder = (struct frame_finder){ .symbols = symbols };
	finder->until_ns = now_ns() + FRAMES_NS_MAX;
}

void frame_finder_deinit(struct frame_finder *finder)
{
	for (size_t i = 0; i < finder->modules.nr; i++)
		call_frames_deinit(&finder->modules.items[i]);
	call_frames_vec_deinit(&finder->modules);
	map_deinit(&finder->numbers);
}

/* What the module's file says; NULL: it says nothing. */
static const struct call_frames *module_frames(struct frame_finder *finder,
					       const struct module *module)
{
	uint64_t *number = map_at(&finder->numbers, module->start);
	if (!number)
		return NULL;
	if (!*number) {
		uint64_t bias = 0;
		struct call_frames frames = { 0 };
		struct elf_file *file = symbols_elf_file(finder->symbols, module, &bias);
		if (file && elf_file_class(file) == 64)
			call_frames_read(file, bias, &frames);
		if (!call_frames_vec_push(&finder->modules, frames)) {
			call_frames_deinit(&frames);
			return NULL;
		}
		*number = finder->modules.nr;
	}
	const struct call_frames *frames = &finder->modules.items[*number - 1];
	return frames->bytes ? frames : NULL;
}

static bool find_entry(const struct bytes *bytes, const struct call_frames *frames,
		       uint64_t code, struct eh_entry *entry)
{
	return frames->header
		       ? eh_frame_find(bytes, frames->header, code, entry)
		       : eh_frame_find_in_order(bytes, frames->section, code, entry);
}

/* What is known of a frame before its caller is. */
static struct frame frame_at(pid_t tid, const struct cpu_registers *registers)
{
	struct frame frame = { .tid = tid, .registers = *registers };
	uint64_t pc = registers->values[CPU_PC];
	frame.code = pc_code(pc);
	frame.is_interrupted = pc & PC_EXACT;
	frame.start = registers->values[CPU_SP];
	frame.registers.values[CPU_PC] = pc & ~PC_EXACT;
	return frame;
}

/* Goes from a frame to its caller; false: there is none, or it is not known. */
static bool leave(struct frame_finder *finder, struct words *words,
		  struct cpu_registers *registers, struct frame *frame,
		  bool *is_signal_frame)
{
	struct eh_entry entry;
	struct row row;
	const struct module *module = symbols_module_at(finder->symbols, frame->code);
	const struct call_frames *frames = module ? module_frames(finder, module) : NULL;
	if (!frames)
		return false;
	const struct bytes bytes = { frames->bytes, frames->address, frames->size };
	if (!find_entry(&bytes, frames, frame->code, &entry) ||
	    !row_find(&bytes, &entry, frame->code, &row))
		return false;
	frame->function = entry.start;
	frame->function_end = entry.end;
	*is_signal_frame = entry.is_signal_frame;
	const struct caller_question question = {
		.module = &bytes,
		.row = &row,
		.is_signal_frame = entry.is_signal_frame,
		.words = words,
	};
	return caller_find(&question, registers, &frame->cfa) == STEP_DONE;
}

static struct cpu_registers innermost(const struct stack *stack)
{
	const struct user_regs_struct *is = stack->registers;
	/* In the order of DWARF's numbers. */
	const uint64_t values[CPU_NR_REGISTERS] = {
		is->rax,
		is->rdx,
		is->rcx,
		is->rbx,
		is->rsi,
		is->rdi,
		is->rbp,
		is->rsp,
		is->r8,
		is->r9,
		is->r10,
		is->r11,
		is->r12,
		is->r13,
		is->r14,
		is->r15,
		is->rip | PC_EXACT,
	};
	struct cpu_registers registers = { .known = 0 };
	for (unsigned i = 0; i < CPU_NR_REGISTERS; i++)
		cpu_set(&registers, i, values[i]);
	return registers;
}

static bool is_on(const struct stack *stack, uint64_t address)
{
	return address > stack->start && address - stack->start <= stack->size;
}

void frames_find(struct frame_finder *finder, const struct stack *stack,
		 bool (*take)(void *context, const struct frame *frame), void *context)
{
	struct stack_words words = stack_words(stack);
	struct cpu_registers registers = innermost(stack);
	while (registers.values[CPU_PC] & ~PC_EXACT && finder->nr_frames++ < FRAMES_MAX &&
	       now_ns() < finder->until_ns) {
		struct frame frame = frame_at(stack->tid, &registers);
		bool is_signal_frame = false;
		if (!leave(finder, &words.base, &registers, &frame, &is_signal_frame))
			return;
		frame.end = registers.values[CPU_SP];
		/* Also what was interrupted is further out, if on the same stack. */
		if (frame.end <= frame.start || !is_on(stack, frame.end) ||
		    !take(context, &frame))
			return;
	}
}

/* --- telling ------------------------------------------------------------------------ */

struct telling {
	struct frame_finder *finder;
	struct frame_table *table;
	struct error *error;
	bool is_first;
};

static bool tell(void *context, const struct frame *frame)
{
	struct telling *telling = context;
	struct frame_part part = { frame->start, frame->end, frame->tid, 0 };
	struct symbol_name name = symbols_name(telling->finder->symbols, frame->code);
	/* Without a name it is told by where it begins. */
	if (!name.function)
		name = symbols_name(telling->finder->symbols, frame->function);
	telling->error = frame_table_code(telling->table, &name, &part.code);
	if (telling->is_first)
		part.start -= STACK_RED_ZONE;
	telling->is_first = false;
	if (!telling->error)
		telling->error = frame_table_add(telling->table, &part);
	return !telling->error;
}

struct error *frames_tell(struct frame_finder *finder, const struct stack_vec *stacks,
			  struct frame_table *table)
{
	struct telling telling = { .finder = finder, .table = table };
	for (size_t i = 0; !telling.error && i < stacks->nr; i++) {
		telling.is_first = true;
		frames_find(finder, &stacks->items[i], tell, &telling);
	}
	frame_table_sort(table);
	return telling.error;
}
