/*
 * modules: the code that the process has loaded, told to seep as it comes and goes.
 *
 * Code that came is noticed when a stack first shows some of it: dlopen() is not hooked, since
 * it looks for libraries on behalf of the library that calls it, which must not be us. Code
 * that went is noticed by the hook of dlclose(), or, where that was not called, when other code is
 * found in its place.
 */
#ifndef SEEP_RUNTIME_MODULES_H
#define SEEP_RUNTIME_MODULES_H

#include <stdbool.h>
#include <stdint.h>

#include "runtime/recorder.h"

/* The code that this function is in. */
void modules_own_range(uint64_t *start, uint64_t *end);

/* Whether code at the address was told of, or cannot be since it is nobody's. */
bool modules_know(uint64_t address);

/* Publishes what came and went, in the thread's ring, as of that time. Stacks of code that went
   are forgotten: whether any were. Where another thread is at it, that one does this too. */
bool modules_tell(struct thread *thread, uint64_t time);

/* Around a fork, whose child would find the loader's lock taken for ever if we had it then. False
   if that could not be done in time. */
bool modules_stop_telling(void);
/* Whether there is something to be told by now. */
bool modules_may_tell(void);

#endif
