/*
 * instruction: how long an instruction of x86-64 is, and what it does to the stack pointer and to the
 * way on. All that a compiler makes of C for the baseline of x86-64 is known; what is not is BAD.
 *
 * Source: Intel 64 and IA-32 Architectures Software Developer's Manual, volume 2, appendix A.
 */
#ifndef SEEP_UNWIND_INSTRUCTION_H
#define SEEP_UNWIND_INSTRUCTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum instruction_kind {
	INSTRUCTION_BAD, /* not known, or sp is no more what can be told */
	INSTRUCTION_OTHER,
	INSTRUCTION_PUSH,
	INSTRUCTION_POP,        /* into `reg` */
	INSTRUCTION_ADD_SP,     /* sp += value */
	INSTRUCTION_SP_FROM_BP, /* sp = bp + value */
	INSTRUCTION_LEAVE,
	INSTRUCTION_RETURN,
	INSTRUCTION_CALL,   /* to what `value` behind it */
	INSTRUCTION_JUMP,   /* the same */
	INSTRUCTION_BRANCH, /* or on */
	INSTRUCTION_DEAD,   /* what comes after it is not known, or nothing */
};

struct instruction {
	enum instruction_kind kind;
	uint8_t size;
	uint8_t reg; /* as processors number them */
	int32_t value;
};

/* False if there are not as many bytes. */
bool instruction_read(const uint8_t *bytes, size_t nr_bytes,
		      struct instruction *instruction);

#endif
