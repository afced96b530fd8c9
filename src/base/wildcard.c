/*
 * wildcard: see wildcard.h. What stands before a * is best matched as early in the text as
 * it can be, so only the last * met is ever tried again: no pattern makes this exponential.
 */
#include "base/wildcard.h"

#include <stddef.h>

bool wildcard_matches(const char *pattern, const char *text)
{
	const char *after_star = NULL; /* of the pattern */
	const char *retry = NULL; /* of the text: where that star ends at the least */
	while (*text) {
		if (*pattern == '*') {
			after_star = ++pattern;
			retry = text;
		} else if (*pattern && (*pattern == '?' || *pattern == *text)) {
			pattern++;
			text++;
		} else if (after_star) {
			pattern = after_star;
			text = ++retry;
		} else {
			return false;
		}
	}
	while (*pattern == '*')
		pattern++;
	return !*pattern;
}
