/*
 * trace_words: what rows made of traces are, what they are sorted by, and the options that
 * commands about traces share.
 */
#ifndef SEEP_CMD_TRACE_WORDS_H
#define SEEP_CMD_TRACE_WORDS_H

#include "cmd/options.h"

extern const struct option_word trace_group_words[]; /* enum seep_report_group */
extern const struct option_word trace_order_words[]; /* enum seep_report_order */
extern const struct option_word trace_top_words[];   /* all: 0 */

#define TRACE_DEFAULT_TOP 20u

/* Rows of a command's table of options; `where` is the offset of the field. */
#define TRACE_OPTION_COLLAPSE(where)                                                     \
	{                                                                                \
		.name = "collapse-recursion", .kind = OPTION_FLAG, .field = (where),     \
		.help = "let each function stand once on a stack"                        \
	}
#define TRACE_OPTION_HIDE_LIBS(where)                                                    \
	{                                                                                \
		.name = "hide-libs", .kind = OPTION_FLAG, .field = (where),              \
		.help = "only show calls of the program's own file"                      \
	}
#define TRACE_OPTION_VERBOSE(where)                                                      \
	{                                                                                \
		.name = "verbose", .letter = 'v', .kind = OPTION_FLAG, .field = (where), \
		.help = "whole stacks, and all warnings"                                 \
	}

#endif
