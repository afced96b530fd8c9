/*
 * program: a command that seep runs: whose signals are its, and what its end says.
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
