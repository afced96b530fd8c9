/*
 * suggest: which known word somebody may have meant.
 */
#ifndef SEEP_CMD_SUGGEST_H
#define SEEP_CMD_SUGGEST_H

#include <stddef.h>

/* The candidate most like `word`, or NULL when none is near. */
const char *suggest_nearest(const char *word, const char *const *candidates, size_t nr);

#endif
