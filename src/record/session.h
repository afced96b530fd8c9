/*
 * session: seep's side of the memory that it shares with a recorded program (raw/session.h).
 *
 * The memory lies in a memfd of mode 0600 that can neither shrink nor grow, so that nothing
 * which the program does to it is a SIGBUS here. The thread that made it holds `alive` as a
 * robust mutex: when that thread ends, however it ends, the program records nothing any more.
 * The runtime finds the memory by its name.
 */
#ifndef SEEP_RECORD_SESSION_H
#define SEEP_RECORD_SESSION_H

#include <sys/types.h>

#include "base/error.h"
#include "raw/ring.h"

struct record_session; /* opaque */

struct record_session_options {
	enum session_on_full on_full;
	uint32_t max_frames;
	uint64_t min_size;
	bool is_paused; /* at first nothing is recorded */
	bool follows;   /* programs that the process executes get sessions of their own */
};

/* On success *result is the caller's. */
struct error *record_session_create(const struct record_session_options *options,
				    struct record_session **result) MUST_CHECK;
/* Must be called by the thread that made it. The program goes on unrecorded. */
void record_session_destroy(struct record_session *session);

/* A session for the next program, recorded in the same way; `is_paused` says whether at all. */
struct error *record_session_create_next(const struct record_session *session,
					 bool is_paused,
					 struct record_session **result) MUST_CHECK;
/* Whether programs that are executed were asked for. */
bool record_session_follows(const struct record_session *session);
/* Says which process it is that may go on with other sessions, before it runs. */
void record_session_follow(struct record_session *session, pid_t process);
/* Of the first one: leads the program that is executed next to its session; NULL: there is none. */
void record_session_lead(struct record_session *session,
			 const struct record_session *next);
/* The program that it was for is gone: gives back what rings and nodes take; what the memory is
   besides stays. */
void record_session_empty(struct record_session *session);

/* The value of SESSION_VARIABLE for the program: "/proc/PID/fd/N". */
const char *record_session_name(const struct record_session *session);

struct session *record_session_shared(const struct record_session *session);
/* Mapped when first asked for, so that seep needs no more addresses than the program gives it
   reason to; NULL when there are none left. A node's number is below SESSION_NODES. */
struct ring *record_session_ring(struct record_session *session, uint32_t i);
const struct stack_node *record_session_node(struct record_session *session,
					     uint32_t number);

/* Tells the program that nothing more is wanted, and lets go who waits for room. Twice is as
   good as once; the memory stays. */
void record_session_end(struct record_session *session);

/* Wakes the thread that waits for room in a ring, if one does. */
void record_session_wake(struct ring *ring);

#endif
