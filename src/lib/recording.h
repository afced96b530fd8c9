/* recording: the trace of a process that is looked at while it is recorded. */
#ifndef SEEP_LIB_RECORDING_H
#define SEEP_LIB_RECORDING_H

#include <sys/types.h>

#include "base/error.h"

/* Has the seep that records the process write all that happened until now; refuses if `path` is
   not the file that it writes. */
struct error *recording_flush(pid_t pid, const char *path) MUST_CHECK;

#endif
