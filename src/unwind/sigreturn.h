/*
 * sigreturn: the code that a handler of signals returns to, where it has no rules that can be
 * trusted, and the row of its frame: the interrupted function's registers lie on the stack.
 *
 * Of arm64's kernels, those before 5.8 have rules there that lead past the interrupted function, those
 * since then none: an unwinder is to know the instructions
 * (arch/arm64/kernel/vdso/sigreturn.S). On x86-64, glibc's has rules, and musl.h knows musl's.
 */
#ifndef SEEP_UNWIND_SIGRETURN_H
#define SEEP_UNWIND_SIGRETURN_H

#include "unwind/row.h"

/* Whether a pc (unwind/rule.h) is there; fills in the row if so. It may be any word: the code is
   read only if it can be. */
bool sigreturn_row(uint64_t pc, struct row *row);

#endif
