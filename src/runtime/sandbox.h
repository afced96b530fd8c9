/*
 * sandbox: what a child of vfork() forbids itself is not forbidden to its parent, whose memory it
 * has: what is shut for the child is opened again when it goes.
 */
#ifndef SEEP_RUNTIME_SANDBOX_H
#define SEEP_RUNTIME_SANDBOX_H

#include <stdbool.h>

/* Just before the child executes another program. True if it was shut for the child. */
bool sandbox_open_for_parent(void);
/* It could not be executed. */
void sandbox_shut_for_child(void);

#endif
