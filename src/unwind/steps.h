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

#define STEPS_MAX 4096u /* distinct ones: a few hundred in large programs */

struct steps_table {
	uint64_t nr_slots; /* a power of two */
	_Atomic uint64_t nr_used;
	_Atomic uint64_t slots[];
};

struct steps {
	_Atomic(struct steps_table *) table;
	atomic_flag growing, adding;
	_Atomic uint32_t nr_distinct;
	struct step distinct[STEPS_MAX]; /* from 1 on */
};

/* NULL when there is no memory. */
struct steps *steps_create(void);
/* The step of the code at pc (bit 63 clear). */
struct step steps_at(struct steps *steps, uint64_t pc);
/* Its whole rules; false when there are none. Not kept. */
bool steps_rules(uint64_t pc, struct frame_rules *rules);
/* Code may have changed. Beside it, answers are of before or after. */
void steps_forget(struct steps *steps);

#define STEPS_PC_SHIFT    16
#define STEPS_NUMBER_MASK 0xffffu

static inline uint64_t steps_first_slot(const struct steps_table *table, uint64_t pc)
{
	return (pc * 0x9e3779b97f4a7c15u >> 32) & (table->nr_slots - 1);
}

/* The step at pc if it is kept, else NULL. */
static inline const struct step *steps_kept(const struct steps *steps, uint64_t pc)
{
	const struct steps_table *table =
		atomic_load_explicit(&steps->table, memory_order_acquire);
	for (uint64_t i = steps_first_slot(table, pc);;
	     i = (i + 1) & (table->nr_slots - 1)) {
		uint64_t word =
			atomic_load_explicit(&table->slots[i], memory_order_acquire);
		if (word >> STEPS_PC_SHIFT == pc)
			return &steps->distinct[word & STEPS_NUMBER_MASK];
		if (!word)
			return NULL;
	}
}

#endif
