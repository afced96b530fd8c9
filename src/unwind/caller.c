/* caller: see caller.h. Each register in turn. */
#include "unwind/caller.h"

#include "unwind/expression.h"
#include "unwind/rule.h"

struct frame_rules {
	const struct caller_question *is;
	const struct row *row;
	const struct cpu_registers *registers;
	uint64_t cfa;
};

static enum step_end step_end_of(enum expression_end end)
{
	static const enum step_end ends[] = {
		[EXPRESSION_DONE] = STEP_DONE,
		[EXPRESSION_BAD] = STEP_NO_RULE,
		[EXPRESSION_UNKNOWN] = STEP_UNKNOWN,
		[EXPRESSION_NO_MEMORY] = STEP_NO_MEMORY,
	};
	return ends[end];
}

static enum step_end take_register(const struct frame_rules *rules, uint64_t number,
				   uint64_t *value)
{
	if (number >= CPU_NR_REGISTERS)
		return STEP_NO_RULE;
	*value = rules->registers->values[number];
	return rules->registers->known & CPU_BIT(number) ? STEP_DONE : STEP_UNKNOWN;
}

static enum step_end evaluate(const struct frame_rules *rules, int32_t position,
			      const uint64_t *cfa, uint64_t *value)
{
	return step_end_of(expression_evaluate(rules->is->module, (uint32_t)position,
					       rules->registers, cfa, rules->is->words,
					       value));
}

static enum step_end find_cfa(struct frame_rules *rules)
{
	const struct row *row = rules->row;
	if (row->cfa_kind == ROW_IS_EXPRESSION)
		return evaluate(rules, row->cfa, NULL, &rules->cfa);
	enum step_end end = take_register(rules, row->cfa_register, &rules->cfa);
	rules->cfa += (uint64_t)(int64_t)row->cfa;
	return end;
}

/* What no instruction speaks of is as the ABI has it. */
static enum step_end by_the_abi(const struct frame_rules *rules, unsigned number,
				uint64_t *value)
{
	if (number == CPU_SP) {
		*value = rules->cfa;
		return STEP_DONE;
	}
#if defined(__aarch64__)
	if (number == CPU_PC)
		return take_register(rules, CPU_LR, value);
#endif
	return CPU_CALLEE_SAVED & CPU_BIT(number) ? take_register(rules, number, value)
						  : STEP_UNKNOWN;
}

static enum step_end find_register(const struct frame_rules *rules, unsigned number,
				   uint64_t *value)
{
	int32_t operand = rules->row->values[number];
	uint64_t at_cfa = rules->cfa + (uint64_t)(int64_t)operand;
	enum step_end end;
	switch ((enum row_kind)rules->row->kinds[number]) {
	case ROW_SAME:
		return take_register(rules, number, value);
	case ROW_AT_CFA:
		return words_read(rules->is->words, at_cfa, value) ? STEP_DONE
								   : STEP_NO_MEMORY;
	case ROW_IS_CFA:
		*value = at_cfa;
		return STEP_DONE;
	case ROW_REGISTER:
		return take_register(rules, (uint32_t)operand, value);
	case ROW_IS_EXPRESSION:
		return evaluate(rules, operand, &rules->cfa, value);
	case ROW_AT_EXPRESSION:
		end = evaluate(rules, operand, &rules->cfa, value);
		if (end == STEP_DONE && !words_read(rules->is->words, *value, value))
			return STEP_NO_MEMORY;
		return end;
	case ROW_UNDEFINED:
		return STEP_UNKNOWN;
	default:
		return by_the_abi(rules, number, value);
	}
}

static enum step_end step_by(struct frame_rules *rules, struct cpu_registers *caller)
{
	if (rules->row->kinds[CPU_PC] == ROW_UNDEFINED)
		return STEP_NO_CALLER;
	enum step_end end = find_cfa(rules);
	if (end != STEP_DONE)
		return end;
	for (unsigned number = 0; number < CPU_NR_REGISTERS; number++) {
		uint64_t value = 0;
		end = find_register(rules, number, &value);
		if (end == STEP_DONE)
			cpu_set(caller, number, value);
		else if (CPU_QUICK_REGISTERS & CPU_BIT(number))
			return end;
	}
#if defined(__aarch64__)
	/* The call that the caller is in wrote it. */
	if (!rules->is->is_signal_frame)
		caller->known &= ~CPU_BIT(CPU_LR);
#endif
	uint64_t pc = cpu_return_address(caller->values[CPU_PC]);
	caller->values[CPU_PC] = rules->is->is_signal_frame && pc ? pc | PC_EXACT : pc;
	return STEP_DONE;
}

enum step_end caller_find(const struct caller_question *question,
			  struct cpu_registers *registers, uint64_t *cfa)
{
	/* Expressions mean the address by a pc. */
	struct cpu_registers callee = *registers;
	callee.values[CPU_PC] &= ~PC_EXACT;
	struct frame_rules rules = { question, question->row, &callee, 0 };
	struct cpu_registers caller = { .known = 0 };
	enum step_end end = step_by(&rules, &caller);
	*registers = caller;
	if (cfa)
		*cfa = rules.cfa;
	return end;
}
