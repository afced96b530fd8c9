/*
 * wildcard: patterns for whole names, in which * stands for any run of characters and ? for
 * any one. Nothing else is special: [ and \ stand for themselves, as C++ names need it.
 */
#ifndef SEEP_BASE_WILDCARD_H
#define SEEP_BASE_WILDCARD_H

#include <stdbool.h>

/* Takes at most as many steps as the text is long, times the longest run without a *. */
bool wildcard_matches(const char *pattern, const char *text);

#endif
