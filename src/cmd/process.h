/*
 * process: which process or file a TARGET on the command line means.
 *
 * All digits is a pid; something with a "/" or naming a regular file is a file; anything
 * else is the exact name of a process: what it calls itself (comm) or the file name of its
 * program. seep never finds itself.
 */
#ifndef SEEP_CMD_PROCESS_H
#define SEEP_CMD_PROCESS_H

#include <sys/types.h>

#include "base/error.h"
#include "cmd/options.h"

/* Operands that a command of that name takes: no more than one, or exactly one process. */
struct error *process_limit(const char *name, const struct operands *operands) MUST_CHECK;
struct error *process_require(const char *name,
			      const struct operands *operands) MUST_CHECK;

/*
 * Sets either *pid or *file (to `target`; whether the file can be read is not looked at).
 * ERROR_USAGE when several processes have that name (the remedy lists them), ERROR_REFUSED
 * when none has.
 */
struct error *process_or_file(const char *target, pid_t *pid,
			      const char **file) MUST_CHECK;

/* As process_or_file(), where a file will not do: ERROR_REFUSED. */
struct error *process_find(const char *target, pid_t *pid) MUST_CHECK;

/* Makes the process that is named like the file, if one is running, the remedy of a file's
   refusal: `seep leaks server` in the folder of the program of that name. */
struct error *process_namesake(struct error *error, const char *path) MUST_CHECK;

#endif
