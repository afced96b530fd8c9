/*
 * permission: why the kernel does not let seep look into a process, and what would make it.
 */
#ifndef SEEP_TARGET_PERMISSION_H
#define SEEP_TARGET_PERMISSION_H

#include "target/process.h"

/* The error to tell of a process that may not be read; its remedy names seep's command. */
struct error *permission_missing(pid_t pid, const struct process_status *status,
				 const char *command) MUST_CHECK;

#endif
