/*
 * epilogue: the row of a pc in code without .eh_frame, by reading on to where its function returns.
 *
 * A function leaves the stack as it found it, by whichever way it returns: so what the instructions
 * from pc on add to sp up to a `ret` is where the caller's frame begins, and what they pop are the
 * registers that it saved. Several ways out are followed, and all must come to the same. Ways that do
 * not return must be told from others: by what they call, or what they end with.
 *
 * It is made for musl's libc, which is C for the baseline of x86-64, and has no rules of its own. On
 * other processors there is never a row.
 */
#ifndef SEEP_UNWIND_EPILOGUE_H
#define SEEP_UNWIND_EPILOGUE_H

#include "unwind/row.h"

/* A part of a module that is code, and what it calls that does not return. */
struct epilogue_code {
	struct bytes bytes;
	void (*const *endings)(void);
	size_t nr_endings;
};

/* False when it cannot be told. `is_exact`: pc is what runs next, no call's return address. */
bool epilogue_find(const struct epilogue_code *code, uint64_t pc, bool is_exact,
		   struct row *row);

#endif
