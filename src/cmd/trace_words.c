/* trace_words: see trace_words.h. */
#include "cmd/trace_words.h"

#include "seep/report.h"

const struct option_word trace_group_words[] = {
	{ "site", SEEP_REPORT_BY_SITE, "the call that allocated, with its whole stack" },
	{ "function", SEEP_REPORT_BY_FUNCTION, "the function of that call" },
	{ "module", SEEP_REPORT_BY_MODULE, "the program or library of that function" },
	{ "thread", SEEP_REPORT_BY_THREAD, NULL },
	{ "size", SEEP_REPORT_BY_SIZE, "the size of the block" },
	{ "mark", SEEP_REPORT_BY_MARK, "the time between two marks (seep mark)" },
	{ "type", SEEP_REPORT_BY_TYPE,
	  "what it was for, where the functions that allocated it say so" },
	{ 0 },
};

const struct option_word trace_order_words[] = {
	{ "peak", SEEP_REPORT_PEAK, "bytes live when the program was at its peak" },
	{ "persistent", SEEP_REPORT_PERSISTENT, "bytes live at the end" },
	{ "transient", SEEP_REPORT_TRANSIENT, "bytes that were not" },
	{ "total", SEEP_REPORT_TOTAL, "bytes allocated in all" },
	{ "allocations", SEEP_REPORT_ALLOCATIONS, "how many" },
	{ "temporary", SEEP_REPORT_TEMPORARY,
	  "how many were freed by the next event of their thread" },
	{ 0 },
};

const struct option_word trace_top_words[] = { { "all", 0, NULL }, { 0 } };
