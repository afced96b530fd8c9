/*
 * peek: many small reads of a frozen target, kept in a small direct-mapped cache of pages,
 * for following lists whose members lie close together.
 */
#ifndef SEEP_HEAP_PEEK_H
#define SEEP_HEAP_PEEK_H

#include "target/target.h"

struct peek; /* opaque */

struct error *peek_create(struct target *target, struct peek **result) MUST_CHECK;
void peek_destroy(struct peek *peek);

/* Forgets everything: to be called after each freeze. */
void peek_reset(struct peek *peek);

/* Reads `nr` words at an 8-aligned address; false if they cannot be read. An error is only
   one that ends everything (the budget is spent, the process is gone). */
struct error *peek_words(struct peek *peek, uint64_t address, uint64_t *words, size_t nr,
			 bool *readable) MUST_CHECK;

#endif
