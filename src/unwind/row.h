/*
 * row: where a frame's caller has its registers, at one pc: what the call frame instructions of
 * an entry come to (DWARF 5, 6.4).
 */
#ifndef SEEP_UNWIND_ROW_H
#define SEEP_UNWIND_ROW_H

#include "unwind/cpu.h"
#include "unwind/eh_frame.h"

/* How a register of the caller is found. */
enum row_kind {
	ROW_UNSPECIFIED, /* as the ABI has it */
	ROW_UNDEFINED,   /* it is lost; the return address: there is no caller */
	ROW_SAME,
	ROW_AT_CFA,            /* in memory, at the CFA + value */
	ROW_IS_CFA,            /* it is the CFA + value */
	ROW_REGISTER,          /* in the register of that number */
	ROW_AT_EXPRESSION,     /* in memory, where the expression says */
	ROW_IS_EXPRESSION,     /* the expression says it; for the CFA too */
	ROW_REGISTER_AND_MORE, /* the CFA alone: register + value */
};

struct row {
	uint8_t cfa_kind;
	uint8_t cfa_register;
	uint8_t kinds[CPU_NR_REGISTERS]; /* the return address is CPU_PC */
	int32_t cfa;
	int32_t values[CPU_NR_REGISTERS]; /* expressions: their offset in the module, as
					     uint32_t; a length comes first */
};

/* The row of `pc`, which the entry is about. False when its instructions make no sense. */
bool row_find(const struct bytes *module, const struct eh_entry *entry, uint64_t pc,
	      struct row *row);

#endif
