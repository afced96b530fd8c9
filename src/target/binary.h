/*
 * binary: finds the file that a core's process had mapped, on the machine at hand.
 *
 * Looked for below the sysroot, where the process had it, beside the core, and by its
 * build-id in .build-id folders. A file counts only if its build-id is the one in the core;
 * a core that does not hold it leaves nothing to go by but the name.
 */
#ifndef SEEP_TARGET_BINARY_H
#define SEEP_TARGET_BINARY_H

#include "base/error.h"

/* Where to look. */
struct binary_places {
	const char *sysroot; /* NULL: none */
	const char *folder;  /* that the core lies in */
};

/*
 * A read-only descriptor that the caller closes. `path` is the process's own; `build_id` may
 * be "". ERROR_READ tells what stood in its place, if anything did.
 */
struct error *binary_open(const struct binary_places *where, const char *path,
			  const char *build_id, int *fd) MUST_CHECK;

#endif
