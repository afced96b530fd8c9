/*
 * freeze: the options about holding a process still, which several commands take.
 */
#ifndef SEEP_CMD_FREEZE_H
#define SEEP_CMD_FREEZE_H

#include "cmd/options.h"

/* The values are those of enum seep_freeze. */
extern const struct option_word freeze_words[];

/* Rows of a command's table of options; `where` is the offset of the field. */
#define FREEZE_OPTION_HOW(where)                                                         \
	{                                                                                \
		.name = "freeze", .kind = OPTION_WORD, .field = (where),                 \
		.argument = "HOW", .words = freeze_words,                                \
		.help = "how to hold the process still"                                  \
	}
#define FREEZE_OPTION_MAX_COPY(where)                                                            \
	{                                                                                        \
		.name = "max-copy", .kind = OPTION_SIZE, .field = (where),                       \
		.argument = "SIZE",                                                              \
		.help = "drop the copy before it needs more memory of its own than this: 500M, " \
			"2G; unless said, what is free around the process decides"               \
	}
#define FREEZE_OPTION_MAX_PAUSE(where)                                                              \
	{                                                                                           \
		.name = "max-pause", .kind = OPTION_DURATION, .field = (where),                     \
		.argument = "TIME",                                                                 \
		.help = "stop the process no longer than this, and give up rather than exceed it: " \
			"500, 500ms, 2s; 200 ms unless said"                                        \
	}

#endif
