/*
 * steps: how to step from a pc to the caller, worked out once for each pc and kept.
 *
 * Most steps are plain: the CFA is the stack or frame pointer plus a number, the return
 * address lies below it, and the frame pointer is as it was or lies at a fixed distance. Such
 * a step fits a word. All others are told as not plain, to be taken by frame_rules.
 *
 * Any thread may ask at any time; nothing waits for anything. A table is one word for each
 * pc: the pc in its upper 48 bits, the number of a step in the lower 16.
 */
#ifndef SEEP_UNWIND_STEPS_H
#define SEEP_UNWIND_STEPS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "unwind/eh_frame.h"

enum step_kind {
	STEP_PLAIN,
	STEP_OUTERMOST, /* the frame has no caller */
	STEP_BY_RULES,  /* not plain */
	STEP_UNKNOWN,   /* code without rules */
};

struct step {
	uint8_t kind;   /* enum step_kind */
	bool cfa_by_bp; /* else by sp */
	bool bp_saved;  /* at CFA + bp_offset */
	uint8_t unused;
	int32_t cfa_offset; /* of a plain step */
	int32_t bp_offset;
};

struct steps; /* opaque */

/* NULL when there is no memory. */
struct steps *steps_create(void);
/* The step of the code at pc (bit 63 clear). */
struct step steps_at(struct steps *steps, uint64_t pc);
/* Its whole rules; false when there are none. Not kept. */
bool steps_rules(uint64_t pc, struct frame_rules *rules);
/* Code may have changed. Beside it, answers are of before or after. */
void steps_forget(struct steps *steps);

#endif
