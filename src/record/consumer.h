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

struct consumer; /* opaque */

/* Time 0 of the ledger is now. The session and the trace (NULL: none) are the caller's, and must
   outlive the consumer. */
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

uint64_t consumer_nap_ns(const struct consumer *consumer);

const struct ledger *consumer_ledger(const struct consumer *consumer);
/* Microseconds since time 0. */
uint64_t consumer_now_us(struct consumer *consumer);
/* Rings that held what makes no sense. */
uint64_t consumer_nr_abandoned(const struct consumer *consumer);

#endif
