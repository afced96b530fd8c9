/* The full walker's step: module, entry and row, and what follows from it. */
#include "unwind/step.h"

#include "unwind/module.h"

struct own_words {
	struct words base; /* first */
	struct memory *memory;
};

static bool read_own(struct words *words, uint64_t address, uint64_t *word)
{
	return memory_word(((struct own_words *)words)->memory, address, word);
}

enum step_end step_full(struct cpu_registers *registers, struct memory *memory)
{
	struct module module;
	struct row row;
	struct own_words words = { { read_own }, memory };
	struct caller_question question = {
		.module = &module.bytes,
		.row = &row,
		.words = &words.base,
	};
	if (!module_find_row(registers->values[CPU_PC], &module, &row,
			     &question.is_signal_frame))
		return STEP_NO_RULE;
	return caller_find(&question, registers, NULL);
}
