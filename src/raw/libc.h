/* libc: which C library the process has; the one that the code was built with may be another. */
#ifndef SEEP_RAW_LIBC_H
#define SEEP_RAW_LIBC_H

#include <stdbool.h>

/* gnu_get_libc_version(3): glibc alone has it. */
extern __attribute__((weak, visibility("default"))) const char *gnu_get_libc_version(
	void);

/* Of the two that the runtime is built for. */
static inline bool libc_is_musl(void)
{
	return !gnu_get_libc_version;
}

#endif
