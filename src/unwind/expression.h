/*
 * expression: values of the DWARF expressions that rules are given by (DWARF 5, section 2.5),
 * as far as compilers and libc use them in .eh_frame.
 */
#ifndef SEEP_UNWIND_EXPRESSION_H
#define SEEP_UNWIND_EXPRESSION_H

#include <stdbool.h>
#include <stdint.h>

/* Reads a word of the program's memory; false when that is not allowed. */
struct expression_memory {
	bool (*read)(const struct expression_memory *memory, uint64_t address,
		     uint64_t *word);
};

/* `expression` begins with its length; `first` is pushed before it (the CFA) unless NULL. */
bool expression_value(const unsigned char *expression, const uint64_t *registers,
		      unsigned nr_registers, const uint64_t *first,
		      const struct expression_memory *memory, uint64_t *value);

#endif
