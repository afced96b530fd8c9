/* What recorder.c, thread.c and join.c have of each other. */
#ifndef SEEP_RUNTIME_RECORDER_PRIV_H
#define SEEP_RUNTIME_RECORDER_PRIV_H

#include "runtime/recorder.h"

/* The first trouble stays. */
void recorder_tell(enum session_trouble trouble);

/* Before there are threads: so that each ends its turn. */
void thread_make_end_key(void);
/* The calling thread's turn ends. */
void thread_finish(struct thread *thread);
/* Counts an event that is not recorded, and has the next one tell of it. */
void thread_lose_event(struct thread *thread);

#endif
