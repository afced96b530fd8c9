/*
 * markup: names that nobody vouches for, in XML and HTML.
 */
#ifndef SEEP_REPORT_MARKUP_PRIV_H
#define SEEP_REPORT_MARKUP_PRIV_H

#include <stddef.h>

#include "base/str.h"

/* As text or in a quoted attribute: valid UTF-8, with entities where they are due. What may not
   stand in XML, or could not be seen, becomes U+FFFD. */
void markup_put_text(struct str *out, const char *text);

/* The first so many characters of it, with two dots when there are more. */
void markup_put_start(struct str *out, const char *text, size_t nr);

#endif
