/*
 * caller: from a frame to its caller's with all registers, by the row of its pc.
 */
#ifndef SEEP_UNWIND_CALLER_H
#define SEEP_UNWIND_CALLER_H

#include "unwind/cpu.h"
#include "unwind/row.h"
#include "unwind/words.h"

enum step_end {
	STEP_DONE,
	STEP_NO_CALLER,
	STEP_NO_RULE,
	STEP_NO_MEMORY,
	STEP_UNKNOWN, /* the rule needs a register that is not known */
};

struct caller_question {
	const struct bytes *module; /* what the row's expressions lie in */
	const struct row *row;
	bool is_signal_frame;
	struct words *words;
};

/* `registers` become those of the caller; on failure they may be anything. The pc is one of
   rule.h. `cfa` NULL: it is not wanted. */
enum step_end caller_find(const struct caller_question *question,
			  struct cpu_registers *registers, uint64_t *cfa);

#endif
