/* Any bytes as what the kernel tells of an epoll descriptor, and of timers. */
#include "target/held.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void parse(struct error *(*parser)(const char *, size_t, struct held_word_vec *),
		  const uint8_t *bytes, size_t size, const char *keeper)
{
	struct held_word_vec held = { 0 };
	error_destroy(parser((const char *)bytes, size, &held));
	for (size_t i = 0; i < held.nr; i++)
		if (strcmp(held.items[i].keeper, keeper) != 0)
			abort();
	held_word_vec_deinit(&held);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	parse(held_parse_epoll, bytes, size, "epoll");
	parse(held_parse_timers, bytes, size, "timer");
	return 0;
}
