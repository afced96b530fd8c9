/* quote: see quote.h. */
#include "base/quote.h"

#include <string.h>

void quote_for_shell(struct str *out, const char *word)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789_-+=./,:@%";
	if (*word && strspn(word, plain) == strlen(word)) {
		str_puts(out, word);
		return;
	}
	str_puts(out, "'");
	for (; *word; word++)
		if (*word == '\'')
			str_puts(out, "'\\''");
		else
			str_append(out, word, 1);
	str_puts(out, "'");
}
