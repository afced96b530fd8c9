/* heap_rows: see heap_rows.h. */
#include "cmd/heap_rows.h"

const struct option_word heap_top_words[] = {
	{ "all", UINT32_MAX, "no limit" },
	{ 0 },
};
