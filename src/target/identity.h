/*
 * identity: what tells one process from all others that this machine ever ran.
 */
#ifndef SEEP_TARGET_IDENTITY_H
#define SEEP_TARGET_IDENTITY_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct target_identity {
	uint64_t started; /* clock ticks after boot; 0: unknown */
	char boot_id[40]; /* ""; unknown */
};

/* What cannot be read stays unknown. */
void target_identify(pid_t pid, struct target_identity *identity);

/* Whether both are known and of one process (whose pids the caller has compared). */
bool target_identity_equal(const struct target_identity *a,
			   const struct target_identity *b);

#endif
