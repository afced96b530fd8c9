/* Any text as a filter of blocks: what is understood can be asked of any block. */
#include "views/block_filter.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void ask(const struct block_filter *filter)
{
	static const char *const names[] = { "class Node", "24-byte block of text", "" };
	static const struct filter_subject subjects[] = {
		{ .size = 24, .retained = 4096, .address = 0x55d0, .is_live = true },
		{ .size = UINT64_MAX, .address = UINT64_MAX },
	};
	for (size_t i = 0; i < filter->conditions.nr; i++) {
		const struct filter_condition *condition = &filter->conditions.items[i];
		if (condition->alternative >= filter->nr_alternatives)
			abort();
		for (size_t k = 0; k < ARRAY_SIZE(names); k++)
			filter_condition_is_of_name(condition)
				? filter_condition_names(condition, names[k])
				: false;
		for (size_t k = 0; k < ARRAY_SIZE(subjects); k++)
			filter_condition_holds(condition, &subjects[k]);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct block_filter filter;
	char *text = malloc(size + 1);
	if (!text)
		return 0;
	memcpy(text, bytes, size);
	text[size] = '\0';
	struct error *error = block_filter_parse(text, &filter);
	if (error && (error->code != ERROR_USAGE || !error->remedy))
		abort();
	if (!error)
		ask(&filter);
	if (!error && !filter.conditions.nr)
		abort();
	error_destroy(error);
	block_filter_deinit(&filter);
	free(text);
	return 0;
}
