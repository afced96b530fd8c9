/*
 * copy: a frozen copy of a process, made by the process itself: a stopped thread of it is made
 * to call clone(), which shares all memory until one side writes. The original can run on; the
 * copy never executes an instruction of the program.
 *
 * clone() is called with CLONE_FILES and without an exit signal: no descriptor is duplicated
 * (the copy leaves the shared table before the original runs on, so that no pipe's end stays
 * open), and the original never gets SIGCHLD. The call is made from a page that is mapped for
 * the purpose, where the next instructions are exit_group(): should its tracer die at any
 * instant, all that the copy can do is exit.
 *
 * Nothing but a pidfd of the copy, opened while it was our tracee, is ever signalled.
 */
#ifndef SEEP_TARGET_COPY_H
#define SEEP_TARGET_COPY_H

#include <stdbool.h>
#include <sys/types.h>

#include "target/freezer.h"

struct copy {
	pid_t pid;        /* 0: there is none */
	pid_t pid_inside; /* as the original sees it */
	int pidfd;
	uint64_t page; /* of the code, in the copy */
};

/*
 * With all threads of the original stopped. ERROR_REFUSED says why no copy was made: nothing
 * has changed then. `maps` is the text of the original's /proc/PID/maps.
 */
struct error *copy_make(struct freezer *freezer, const char *maps,
			struct copy *copy) MUST_CHECK;

/* What can wait until the original runs on: its own session and name; first to be killed when
   memory runs out. */
void copy_settle(const struct copy *copy);

/* Ends the copy; it stays ours, and unseen by the original, until copy_reap(). */
void copy_kill(struct copy *copy);

/* Has the original, stopped again, take the copy's exit status, so that it never sees it. */
struct error *copy_reap(struct freezer *freezer, const char *maps,
			struct copy *copy) MUST_CHECK;
/* The original has ended: whoever inherited the copy takes its status. */
void copy_abandon(struct copy *copy);

#endif
