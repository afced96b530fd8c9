/*
 * successor: how a program that a recorded one executed, in its process, gets a session of its
 * own (raw/session.h): by what stands in the first session of the process.
 */
#ifndef SEEP_RUNTIME_SUCCESSOR_H
#define SEEP_RUNTIME_SUCCESSOR_H

#include "raw/windows.h"

/* A number of the program as it was executed: another execution has another one. */
uint64_t successor_image(void);

/*
 * The windows are open on the first session, whose name is `path`, and which somebody has joined.
 * Opens them on the next one instead, and joins that, if this is the process that goes on; it may
 * have to wait for seep to have it ready, which takes as long as seep sleeps between two rounds.
 * False if it is not, or nothing came; the windows are closed then.
 */
bool successor_join(struct windows *windows, const char *path);

#endif
