/* Any bytes as a file of suppressions, and its rules on a block with a call stack. */
#include "analyse/suppressions.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void match(struct suppressions *set, size_t nr_calls)
{
	static const struct suppression_call calls[] = {
		{ "malloc", "libc.so.6", NULL },
		{ "main", "/usr/bin/app", "main.c" },
	};
	const struct suppression_subject subject = {
		.kind = LEAK_POSSIBLE,
		.type = "class Session",
		.size = 64,
		.root = "global app:state",
		.symbol = "state",
		.modules = { "app", NULL },
		.calls = calls,
		.nr_calls = nr_calls,
	};
	struct suppression *rule = suppressions_match(set, &subject);
	if (!rule)
		return;
	if (!(suppressions_kinds(set) & 1u << LEAK_POSSIBLE) ||
	    (rule->frames.nr && !nr_calls))
		abort();
	suppression_use(rule, subject.size);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	for (size_t nr_calls = 0; nr_calls <= 2; nr_calls += 2) {
		struct suppressions set = { .today = 20260315, .has_stacks = nr_calls };
		char *text = malloc(size + 1);
		if (!text)
			return 0;
		memcpy(text, bytes, size);
		text[size] = '\0';
		struct error *error = suppressions_parse(&set, "fuzz", text, size);
		if (error && (error->code != ERROR_USAGE || !error->remedy))
			abort();
		match(&set, nr_calls);
		error_destroy(error);
		suppressions_deinit(&set);
		free(text);
	}
	return 0;
}
