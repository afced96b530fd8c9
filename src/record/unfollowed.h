/*
 * unfollowed: why a program that another executed is not recorded, as far as its file tells.
 *
 * Only while it runs is it known which one it is; one that is over soon goes unseen.
 */
#ifndef SEEP_RECORD_UNFOLLOWED_H
#define SEEP_RECORD_UNFOLLOWED_H

#include <sys/types.h>

#include "base/error.h"

/* A zeroed struct has seen none. */
struct unfollowed {
	char *seen; /* the path that was looked at last; owned */
	struct error *
		why; /* of the first that cannot be recorded; owned; NULL: none was seen */
};

/* Looks at the program that a process runs now. */
void unfollowed_look(struct unfollowed *unfollowed, pid_t pid);
void unfollowed_deinit(struct unfollowed *unfollowed);

#endif
