/*
 * quote: words of a command line that is shown to be typed.
 */
#ifndef SEEP_BASE_QUOTE_H
#define SEEP_BASE_QUOTE_H

#include "base/str.h"

/* Appends a word as a shell reads it back. */
void quote_for_shell(struct str *out, const char *word);

#endif
