/*
 * eh_frame: how to step from a frame to its caller's, as compilers tell it in .eh_frame (Linux
 * Standard Base 5.0, "Exception Frames"; DWARF 5, section 6.4).
 *
 * The bytes are read where they are mapped, and never past the bounds that are given. What does
 * not parse has no rule.
 */
#ifndef SEEP_UNWIND_EH_FRAME_H
#define SEEP_UNWIND_EH_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* DWARF's numbers of the registers that are kept, and of the return address. */
#define FRAME_NR_REGISTERS 17u

enum frame_rule_kind {
	FRAME_SAME,
	FRAME_UNDEFINED,
	FRAME_AT_OFFSET,     /* saved at CFA + offset */
	FRAME_IS_OFFSET,     /* is CFA + offset */
	FRAME_IN_REGISTER,   /* is in another register: offset is its number */
	FRAME_AT_EXPRESSION, /* saved at the value of an expression */
	FRAME_IS_EXPRESSION, /* is the value of an expression */
};

struct frame_rule {
	enum frame_rule_kind kind;
	int32_t offset;
	const unsigned char
		*expression; /* its length stands before its bytes, as LEB128 */
};

struct frame_rules {
	struct frame_rule registers[FRAME_NR_REGISTERS];
	/* The CFA is a register (a number and an offset), or an expression's value. */
	unsigned cfa_register;
	int32_t cfa_offset;
	const unsigned char *cfa_expression; /* NULL: a register's */
	unsigned return_register;
	bool is_signal; /* the caller was interrupted: its pc is no return address */
};

/* Readable memory that holds .eh_frame_hdr and .eh_frame, and where it is mapped. */
struct eh_frame_bounds {
	const unsigned char *start, *end;
};

/* The rules at `pc`; false when there are none. `header` is .eh_frame_hdr. */
bool eh_frame_rules(const struct eh_frame_bounds *bounds, const unsigned char *header,
		    uint64_t pc, struct frame_rules *rules);

#endif
