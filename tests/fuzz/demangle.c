/* Any bytes as a mangled name, as they come and behind each language's prefix. */
#include "sym/symbols.h"

#include <stdlib.h>
#include <string.h>

#include "base/str.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	static const char *const prefixes[] = { "", "_Z", "_R", "_ZTS" };
	for (size_t i = 0; i < ARRAY_SIZE(prefixes); i++) {
		struct str name = { 0 };
		str_puts(&name, prefixes[i]);
		str_append(&name, (const char *)bytes, size);
		free(symbols_demangle(str_text(&name)));
		str_deinit(&name);
	}
	return 0;
}
