/*
 * str: a growing string. A zeroed struct is an empty one.
 *
 * When memory runs out the str stops growing and remembers it (`failed`), so that a long
 * run of appends needs one check at its end. Ceiling: SIZE_MAX / 2 bytes.
 */
#ifndef SEEP_BASE_STR_H
#define SEEP_BASE_STR_H

#include <stdbool.h>
#include <stddef.h>

struct str {
	char *text; /* NUL-terminated once anything was appended, else NULL */
	size_t length;
	size_t capacity;
	bool failed;
};

void str_append(struct str *str, const char *text, size_t length);
void str_puts(struct str *str, const char *text);
void str_printf(struct str *str, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
void str_deinit(struct str *str);

/* The text, "" when empty. */
const char *str_text(const struct str *str);

/* Hands the text over to the caller, who frees it; NULL when memory had run out. */
char *str_take(struct str *str);

#endif
