/*
 * musl: the rows of musl's libc, which is built without .eh_frame: by where its functions return
 * (unwind/epilogue.h), and by the layout of a signal's frame for the code that ends handlers.
 */
#ifndef SEEP_UNWIND_MUSL_H
#define SEEP_UNWIND_MUSL_H

#include "unwind/row.h"

/* Whether musl's libc, and all of it that must be known, is in [low, high). */
bool musl_is_in(uint64_t low, uint64_t high);

/* `code` is what pc lies in. */
bool musl_row(const struct bytes *code, uint64_t pc, struct row *row,
	      bool *is_signal_frame);

#endif
