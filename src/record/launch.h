/*
 * launch: a command started with the runtime in it.
 *
 * The program gets seep's own streams, folder, signals and environment; what is added is
 * LD_PRELOAD, before what is there already, and SESSION_VARIABLE. There is a runtime for each C
 * library, but each goes well with programs of the other, which the program may execute. It waits, before anything of
 * it runs, until it is told to go.
 */
#ifndef SEEP_RECORD_LAUNCH_H
#define SEEP_RECORD_LAUNCH_H

#include <sys/types.h>

#include "base/await.h"
#include "base/error.h"
#include "record/image.h"

/* A zeroed struct is none. */
struct launch {
	pid_t pid;
	char *path; /* of the program; owned */
	enum image_libc libc;
	int status; /* 126 or 127 after an error that says it could not be started */
	int go, complaint;  /* pipes to and from it, while it waits */
	char **environment; /* owned */
};

/* Refuses what cannot be recorded (record/image.h), and otherwise has the program wait. */
struct error *launch_prepare(struct launch *launch, char *const *command,
			     const char *session_name) MUST_CHECK;
/* Lets it run, and waits until it does or cannot; `await` NULL: who waits has nothing else to do. */
struct error *launch_go(struct launch *launch, const char *name,
			const struct await *await) MUST_CHECK;
/* A program that still waits ends without having run. */
void launch_deinit(struct launch *launch);

#endif
