/*
 * rule: how to get from a frame to its caller's, at one pc, in a word.
 *
 * Almost all code is left by rules that need no more than pc, sp and the frame pointer (bp, or
 * x29): those are in the word itself. All else is looked up again each time, by step.h.
 */
#ifndef SEEP_UNWIND_RULE_H
#define SEEP_UNWIND_RULE_H

#include "unwind/row.h"

/* A pc with this bit is where the code is; others are return addresses, and their code is the
   call that lies before. */
#define PC_EXACT (UINT64_C(1) << 63)

/* An address inside the code that a pc means. */
static inline uint64_t pc_code(uint64_t pc)
{
	return pc & PC_EXACT ? pc & ~PC_EXACT : pc - 1;
}

enum rule_kind {
	RULE_UNKNOWN, /* it was not looked for yet */
	RULE_SP,      /* the CFA is sp + cfa */
	RULE_BP,      /* the CFA is bp + cfa */
	RULE_AT_BP,   /* the CFA lies at bp + cfa, and bp at bp + bp: a realigned stack */
	RULE_SLOW,    /* step.h */
	RULE_END,     /* there is no caller */
	RULE_NONE,    /* there is no rule */
};

/*
 * From bit 0 on: kind (4 bits), cfa (28), ra (16), bp (16). Offsets are signed and in words here,
 * in bytes where they are asked for. The return address is at the CFA + ra; bp at the CFA + bp,
 * or, unless the kind is RULE_AT_BP, where it is if that is 0.
 */
struct rule {
	uint64_t word;
};

enum { RULE_WORD_BYTES = 8 };

static inline enum rule_kind rule_kind(struct rule rule)
{
	return (enum rule_kind)(rule.word & 0xf);
}

static inline int64_t rule_cfa(struct rule rule)
{
	return (int64_t)((int32_t)rule.word >> 4) * RULE_WORD_BYTES;
}

static inline int32_t rule_ra(struct rule rule)
{
	return (int16_t)(rule.word >> 32) * RULE_WORD_BYTES;
}

static inline int32_t rule_bp(struct rule rule)
{
	return (int16_t)(rule.word >> 48) * RULE_WORD_BYTES;
}

/* The rule of `pc`. `*may_be_kept` is false if it may change though no code is unloaded: there
   is no module yet. */
struct rule rule_find(uint64_t pc, bool *may_be_kept);

#endif
