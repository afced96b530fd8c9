/*
 * registers: the words of a stopped thread's registers that may hold pointers (x86-64).
 */
#ifndef SEEP_TARGET_REGISTERS_H
#define SEEP_TARGET_REGISTERS_H

#include <sys/user.h>

#include "target/target.h"

/* Fills the thread from its general registers and its XSAVE (or FXSAVE) area, both copied;
   all but its tid. */
struct error *registers_fill(const struct user_regs_struct *general, const void *vectors,
			     size_t vectors_size, struct thread *thread) MUST_CHECK;

/* Fills the thread. It must be stopped and traced by us. */
struct error *registers_read(pid_t tid, struct thread *thread) MUST_CHECK;

/*
 * Some system calls fail with EINTR when a thread is stopped, though no signal was
 * delivered (signal(7), "Interruption of system calls … by stop signals"). Puts such a call
 * back, so that the thread makes it again instead of seeing the error. A time limit then
 * starts anew. Does nothing when a signal that has a handler is waiting: then the error is
 * genuine.
 */
void registers_put_call_back(pid_t pid, pid_t tid);

#endif
