/*
 * witness: takes in what a program tells, on a thread of its own, while the caller waits for the
 * program's end.
 *
 * The thread owns the session, as the session wants it; the caller may ask the witness for what it
 * knows once it has settled, and until it is ended.
 */
#ifndef SEEP_RECORD_WITNESS_H
#define SEEP_RECORD_WITNESS_H

#include "base/sentences.h"
#include "record/consumer.h"
#include "record/session.h"

struct witness; /* opaque */

/* On success the session is there, and its name can be asked for. */
struct error *witness_start(const struct record_session_options *options,
			    struct witness **result) MUST_CHECK;
/* Ends the session and the thread. */
void witness_end(struct witness *witness);

const char *witness_session_name(const struct witness *witness);

/* Before it runs: which process it is, if programs that it executes are to be followed. */
void witness_follow(struct witness *witness, pid_t process);

/* The program stands still or has ended: takes in all that is left. */
void witness_settle(struct witness *witness);

/* After that. */
const struct ledger *witness_ledger(const struct witness *witness);
/* As consumer_title(). */
char *witness_title(const struct witness *witness, const char *command);
/* Whether the process has executed a program that is not recorded. */
bool witness_is_replaced(const struct witness *witness);
const struct accounts *witness_accounts(const struct witness *witness);
const struct loaded_vec *witness_loaded(const struct witness *witness);
/* Of which some may not have been written. */
uint32_t witness_nr_nodes(const struct witness *witness);
/* False when there is no memory for it. */
bool witness_node(const struct witness *witness, uint32_t number,
		  struct stack_node *node);
/* Sentences about what is not all there. */
struct error *witness_warn(const struct witness *witness,
			   struct sentence_vec *warnings) MUST_CHECK;

#endif
