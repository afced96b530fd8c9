/*
 * step: from a frame to its caller's with all registers, by whatever rule there is.
 */
#ifndef SEEP_UNWIND_STEP_H
#define SEEP_UNWIND_STEP_H

#include "unwind/cpu.h"
#include "unwind/memory.h"

enum step_end {
	STEP_DONE,
	STEP_NO_CALLER,
	STEP_NO_RULE,
	STEP_NO_MEMORY,
	STEP_UNKNOWN, /* the rule needs a register that is not known */
};

/* `registers` become those of the caller; on failure they may be anything. The pc is one of
   rule.h. */
enum step_end step_full(struct cpu_registers *registers, struct memory *memory);

#endif
