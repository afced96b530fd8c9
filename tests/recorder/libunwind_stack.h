/* libunwind_stack: a stack as libunwind steps through it. */
#ifndef SEEP_TESTS_LIBUNWIND_STACK_H
#define SEEP_TESTS_LIBUNWIND_STACK_H

/* Who includes it defines UNW_LOCAL_ONLY first. */
#include <libunwind.h>
#include <stddef.h>
#include <stdint.h>

/* The addresses from the context outwards; how many there are. */
static inline size_t libunwind_stack(unw_context_t *context, uint64_t *addresses,
				     size_t room)
{
	unw_cursor_t cursor;
	size_t nr = 0;
	unw_init_local(&cursor, context);
	do {
		unw_word_t address;
		unw_get_reg(&cursor, UNW_REG_IP, &address);
		if (address == 0)
			break;
		addresses[nr++] = address;
	} while (nr < room && unw_step(&cursor) > 0);
	return nr;
}

#endif
