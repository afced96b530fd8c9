/*
 * succession: the sessions of the programs that a process executes one after the other.
 *
 * The first one is the caller's, and its name leads to all. Where programs are followed, the
 * next one is ready before it is needed; that the process joined it shows that the program before
 * is gone, with all of its threads. Then it becomes the current one, and another next is made.
 */
#ifndef SEEP_RECORD_SUCCESSION_H
#define SEEP_RECORD_SUCCESSION_H

#include "record/session.h"

/* A zeroed struct is empty. */
struct succession {
	struct record_session *first, *current;
	struct record_session *next; /* NULL: no other program is followed */
};

/* All by the thread that made the first session. */
struct error *succession_begin(struct succession *succession,
			       struct record_session *first) MUST_CHECK;
/* Ends and destroys all but the first. */
void succession_deinit(struct succession *succession);

/* Whether another program is there. */
bool succession_is_due(const struct succession *succession);
/* Goes on to it. All that the one before said was taken, and its session goes. Without `more` it is
   the last that is followed. Where no further one can be made none is: that is no error. */
void succession_advance(struct succession *succession, bool more);

/* How many programs waited for a session in vain. */
uint32_t succession_nr_missed(const struct succession *succession);

void succession_set_recording(struct succession *succession, bool is_wanted);
/* Nothing more is wanted of any program. */
void succession_end(struct succession *succession);

#endif
