/* What recorder.c, thread.c and join.c have of each other. */
#ifndef SEEP_RUNTIME_RECORDER_PRIV_H
#define SEEP_RUNTIME_RECORDER_PRIV_H

#include "runtime/recorder.h"

/* The first trouble stays. */
void recorder_tell(enum session_trouble trouble);

/* Whether this is the program itself, not a child of vfork(), which has its memory and thread. */
bool recorder_is_of_program(void);

/* Before there are threads: so that each ends its turn. */
void thread_make_end_key(void);
/* The calling thread's turn ends. */
void thread_finish(struct thread *thread);
/* The calling thread ends, where it allocates no more. */
void thread_end(void);
/* Counts an event that is not recorded, and has the next one tell of it. */
void thread_lose_event(struct thread *thread);

#endif
