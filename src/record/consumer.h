/*
 * consumer: takes what the program tells out of a session, round after round, into a ledger
 * and the trace that it tells of it.
 *
 * How long to wait between rounds is up to the caller, who knows what else to wait for; what
 * rings should be given is consumer_nap_ns(): so long that they fill to a quarter or so.
 */
#ifndef SEEP_RECORD_CONSUMER_H
#define SEEP_RECORD_CONSUMER_H

#include "record/ledger.h"
#include "record/rings.h"
#include "record/succession.h"

struct consumer; /* opaque */

/* Time 0 of the ledger is now. The session and the trace (NULL: none) are the caller's, and must
   outlive the consumer. Programs that are executed get their sessions if the session wants it;
   then the thread that made it must make and destroy the consumer, and do the rounds. */
struct error *consumer_create(struct record_session *session, struct trace_writer *trace,
			      struct consumer **result) MUST_CHECK;
/* Before the first round: also keeps accounts, and what code is loaded; both are the caller's. */
void consumer_account(struct consumer *consumer, struct accounts *accounts,
		      struct loaded_vec *loaded);
void consumer_destroy(struct consumer *consumer);

/* One round. An error means that nothing more can be recorded; what was, stands. */
struct error *consumer_round(struct consumer *consumer) MUST_CHECK;
/* The program has ended: rounds until nothing is left; settles the ledger. */
struct error *consumer_finish(struct consumer *consumer) MUST_CHECK;

/* Has the program record, or not, from now on. */
void consumer_set_recording(struct consumer *consumer, bool is_recording);
/* False before the program has begun. */
bool consumer_mark(struct consumer *consumer, const char *name);

/* Nothing more is wanted: the program goes on unrecorded. */
void consumer_end(struct consumer *consumer);

uint64_t consumer_nap_ns(const struct consumer *consumer);

const struct ledger *consumer_ledger(const struct consumer *consumer);
/* Microseconds since time 0. */
uint64_t consumer_now_us(struct consumer *consumer);
/* Rings that held what makes no sense. */
uint64_t consumer_nr_abandoned(const struct consumer *consumer);

/* Of the session of the program that was executed last; and the first trouble of any. */
enum session_state consumer_state(const struct consumer *consumer);
enum session_trouble consumer_trouble(const struct consumer *consumer);
/* Whether nothing that happened until the last round is known to be missing. */
bool consumer_has_all(const struct consumer *consumer);
/* Programs that are not recorded since seep did not have a session for them in time. */
uint32_t consumer_nr_missed(const struct consumer *consumer);
/* Whether the process has executed a program that is not recorded. */
bool consumer_is_replaced(const struct consumer *consumer);

/* What to call a run that a command began: "env, then server". The caller's; NULL when memory ran
   out. */
char *consumer_title(const struct consumer *consumer, const char *command);

/* Stack nodes of all programs, numbered as in the ledger; those of the last may not have been
   written. Only where there is no trace, which has them. False when there is no memory. */
uint32_t consumer_nr_nodes(const struct consumer *consumer);
bool consumer_node(const struct consumer *consumer, uint32_t number,
		   struct stack_node *node);

#endif
