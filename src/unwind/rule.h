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

/* Offsets in words. The return address is at the CFA + ra; bp at the CFA + bp, or where it is
   if that is 0. */
struct rule {
	unsigned kind : 4; /* enum rule_kind */
	int cfa : 28;
	int ra : 16;
	int bp : 16;
};
static_assert(sizeof(struct rule) == sizeof(uint64_t), "a word");

/* The rule of `pc`. `*may_be_kept` is false if it may change though no code is unloaded: there
   is no module yet. */
struct rule rule_find(uint64_t pc, bool *may_be_kept);

#endif
