/*
 * left_copy: a copy whose tracer was killed. The kernel has ended it then, and it stays as a
 * zombie of the process that it was made from, until that takes its status.
 */
#ifndef SEEP_TARGET_LEFT_COPY_H
#define SEEP_TARGET_LEFT_COPY_H

#include <stdint.h>

#include "target/copy.h"

/* Stops the process, has it take the status, and lets it run on; gives the pause in
   nanoseconds, 0 if there was nothing to do, or it could not be done. */
uint64_t left_copy_reap(pid_t process, const struct copy *left);

#endif
