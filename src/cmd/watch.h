/*
 * watch: does something with a process again and again, until the process ends.
 */
#ifndef SEEP_CMD_WATCH_H
#define SEEP_CMD_WATCH_H

#include <sys/types.h>

#include "base/error.h"

enum watch_end {
	WATCH_COUNTED,     /* as often as was asked for */
	WATCH_ENDED,       /* the process has ended */
	WATCH_INTERRUPTED, /* by SIGINT or SIGTERM, which wait until a look is over */
};

struct watch {
	pid_t pid;
	unsigned interval_ms; /* from the begin of one look to that of the next */
	unsigned count;       /* 0: endless */
	struct error *(*look)(void *context);
	void *context;
};

/*
 * Ends with the first error of `look`, but for two kinds: if the process has ended meanwhile
 * that is the end, and if it was met at a bad instant (ERROR_BUSY, ERROR_BUDGET) the sentence
 * goes to stderr and the next look is tried.
 */
struct error *watch_process(const struct watch *watch, enum watch_end *end) MUST_CHECK;

#endif
