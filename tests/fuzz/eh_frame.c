/* Any bytes as .eh_frame_hdr and .eh_frame, and as an expression in them: no rules, or some. */
#include "unwind/eh_frame.h"

#include <stdlib.h>
#include <string.h>

#include "unwind/expression.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static bool read_none(const struct expression_memory *memory, uint64_t address,
		      uint64_t *word)
{
	(void)memory;
	*word = address;
	return address & 1;
}

static void evaluate(const unsigned char *expression)
{
	const struct expression_memory memory = { read_none };
	uint64_t registers[FRAME_NR_REGISTERS] = { 1, 2, 3 }, value;
	if (expression)
		expression_value(expression, registers, FRAME_NR_REGISTERS, &registers[0],
				 &memory, &value);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	if (size < 1)
		return 0;
	/* Of exactly that size, so that a byte too far is seen. */
	unsigned char *copy = malloc(size);
	memcpy(copy, bytes, size);
	const struct eh_frame_bounds bounds = { copy, copy + size };
	struct frame_rules rules;
	uint64_t pc = (uint64_t)(uintptr_t)copy + bytes[size - 1];
	if (eh_frame_rules(&bounds, copy, pc, &rules)) {
		evaluate(rules.cfa_expression);
		for (unsigned i = 0; i < FRAME_NR_REGISTERS; i++)
			evaluate(rules.registers[i].expression);
	}
	free(copy);
	return 0;
}
