/*
 * process: which process a TARGET on the command line means.
 *
 * All digits is a pid; something with a "/" or naming a regular file is a file; anything
 * else is the exact name of a process: what it calls itself (comm) or the file name of its
 * program. seep never finds itself.
 */
#ifndef SEEP_CMD_PROCESS_H
#define SEEP_CMD_PROCESS_H

#include <sys/types.h>

#include "base/error.h"

/*
 * ERROR_USAGE when several processes have that name (the remedy lists them), ERROR_REFUSED
 * when none has, or when the target is a file.
 */
struct error *process_find(const char *target, pid_t *pid) MUST_CHECK;

#endif
