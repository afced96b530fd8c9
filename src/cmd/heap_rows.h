/*
 * heap_rows: the options of commands that look into a heap and answer in rows, which may be a
 * process's, a core's or a snapshot's.
 */
#ifndef SEEP_CMD_HEAP_ROWS_H
#define SEEP_CMD_HEAP_ROWS_H

#include "cmd/freeze.h"

/* "all": UINT32_MAX. */
extern const struct option_word heap_top_words[];

/* Rows of a command's table of options, whose fields have these names in `type`. */
#define HEAP_OPTION_TOP(type, text)                                                      \
	{                                                                                \
		.name = "top", .kind = OPTION_COUNT, .field = offsetof(type, top),       \
		.argument = "N", .words = heap_top_words, .help = (text)                 \
	}
#define HEAP_OPTION_RECORDING(type)                                                      \
	{                                                                                \
		.name = "recording", .kind = OPTION_FILE,                                \
		.field = offsetof(type, recording), .argument = "TRACE",                 \
		.help = "tell what allocated blocks, by the trace that seep record "     \
			"--addresses -o TRACE is writing of the process, or has "        \
			"written of the one that left the core"                          \
	}
#define HEAP_OPTION_SYSROOT(type)                                                        \
	{                                                                                \
		.name = "sysroot", .kind = OPTION_FILE,                                  \
		.field = offsetof(type, sysroot), .argument = "DIR",                     \
		.help = "with a core: where the files of its machine are"                \
	}
/* How to look: the last ones. */
#define HEAP_OPTIONS_LOOK(type)                                                          \
	HEAP_OPTION_SYSROOT(type), FREEZE_OPTION_HOW(offsetof(type, freeze)),            \
		FREEZE_OPTION_MAX_COPY(offsetof(type, max_copy_bytes)),                  \
		FREEZE_OPTION_MAX_PAUSE(offsetof(type, max_pause_ms))

#endif
