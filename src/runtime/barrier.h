/*
 * barrier: lets seep have all threads of the program go through a barrier (membarrier(2); raw/solo.h).
 *
 * Not where a filter of system calls is in force already, which a program was executed under: it
 * may end who makes a call that libc does not make. The call itself costs nothing later.
 */
#ifndef SEEP_RUNTIME_BARRIER_H
#define SEEP_RUNTIME_BARRIER_H

#include <stdbool.h>

/* False if it cannot. */
bool barrier_allow(void);

#endif
