/*
 * expression: evaluates a DWARF expression of unwinding data (DWARF 5, 2.5).
 */
#ifndef SEEP_UNWIND_EXPRESSION_H
#define SEEP_UNWIND_EXPRESSION_H

#include "unwind/bytes.h"
#include "unwind/cpu.h"
#include "unwind/words.h"

enum expression_end {
	EXPRESSION_DONE,
	EXPRESSION_BAD,     /* it makes no sense, or asks for what there is not */
	EXPRESSION_UNKNOWN, /* it needs a register that is not known */
	EXPRESSION_NO_MEMORY,
};

/* The expression lies at `position` of the module, after its length. `cfa`, if any, is on the
   stack at first. */
enum expression_end expression_evaluate(const struct bytes *module, uint64_t position,
					const struct cpu_registers *registers,
					const uint64_t *cfa, struct words *words,
					uint64_t *result);

#endif
