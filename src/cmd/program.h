/*
 * program: a command that seep runs: whose signals are its, what its end says, and options
 * of all commands that record one.
 */
#ifndef SEEP_CMD_PROGRAM_H
#define SEEP_CMD_PROGRAM_H

#include <sys/types.h>

#include "base/error.h"
#include "cmd/options.h"

/* What shells return of a command. */
enum program_status {
	PROGRAM_NOT_EXECUTABLE = 126,
	PROGRAM_NOT_FOUND = 127,
	PROGRAM_BY_SIGNAL = 128, /* and the signal's number */
};

/* Of a command's table of exit codes: what a program's end adds to them. */
#define PROGRAM_EXIT_CODES                                                               \
	{ PROGRAM_NOT_EXECUTABLE, "the command could not be executed" },                 \
	{                                                                                \
		PROGRAM_NOT_FOUND,                                                       \
			"the command was not found; else its own status, and 128 and "   \
			"its number for a signal"                                        \
	}

/* For --on-full; `drop` is the command's flag. */
#define PROGRAM_FULL_WORDS(drop)                                                         \
	{                                                                                \
		{ "block", 0,                                                            \
		  "the program waits until seep has caught up (the default)" },          \
			{ "drop", (drop), "events are dropped and counted" }, { 0 },     \
	}

/* Rows of a command's table of options; `where` is the offset of the field. */
#define PROGRAM_OPTION_ON_FULL(where, full_words)                                        \
	{                                                                                \
		.name = "on-full", .kind = OPTION_WORD, .field = (where),                \
		.argument = "WHAT", .words = (full_words),                               \
		.help = "what happens when the program is faster than seep"              \
	}
#define PROGRAM_OPTION_MAX_FRAMES(where)                                                     \
	{                                                                                    \
		.name = "max-frames", .kind = OPTION_COUNT, .field = (where),                \
		.argument = "N",                                                             \
		.help = "keep the innermost so many calls of deeper stacks; 256 unless said" \
	}

/* Whether operands are a command behind "--"; `name` is of our command. */
struct error *program_check(const char *name, const struct operands *operands) MUST_CHECK;

/*
 * The program exists. What a terminal sends reaches it by itself, and seep outlives it to report;
 * what is sent to seep alone is meant for the program. What seep was started to ignore it ignores, as
 * the program does. Handlers, unlike SIG_IGN, are not inherited.
 */
void program_take_signals(void *context, pid_t pid);

/* The exit status that passes a wait status on. */
int program_exit_status(int wait_status);

#endif
