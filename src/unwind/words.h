/*
 * words: memory with stacks in it, whoever's: this process's (unwind/memory.h), or another's that was
 * copied.
 */
#ifndef SEEP_UNWIND_WORDS_H
#define SEEP_UNWIND_WORDS_H

#include <stdbool.h>
#include <stdint.h>

/* To make one: embed it first in your own struct. */
struct words {
	/* False: the word cannot be read. */
	bool (*read)(struct words *words, uint64_t address, uint64_t *word);
};

static inline bool words_read(struct words *words, uint64_t address, uint64_t *word)
{
	return words->read(words, address, word);
}

#endif
