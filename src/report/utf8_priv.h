/*
 * utf8: reads text that nobody vouches for, one code point at a time.
 */
#ifndef SEEP_REPORT_UTF8_PRIV_H
#define SEEP_REPORT_UTF8_PRIV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define UTF8_INVALID UINT32_MAX

/*
 * The code point at `text`, which is NUL-terminated and not at its end, and how many bytes
 * it takes. Overlong forms, surrogates and stray bytes are UTF8_INVALID and take one byte.
 */
uint32_t utf8_decode(const char *text, size_t *size);

/* Controls, and what changes the direction or look of other text without being seen. */
bool utf8_is_hidden(uint32_t code_point);

#endif
