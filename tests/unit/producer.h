/*
 * producer: a recorded program without one: fills the rings of a session by hand, in the words
 * of wire/event.h.
 */
#ifndef SEEP_TESTS_UNIT_PRODUCER_H
#define SEEP_TESTS_UNIT_PRODUCER_H

#include "record/session.h"
#include "wire/event.h"

/* A thread; a ring is its own from producer_begin() to producer_end(). */
struct producer {
	struct ring *ring;
	uint64_t head; /* written; published by producer_publish() */
};

/* Joins the session, as process 42, and adds nodes 1 … nr_nodes, each the caller of the next. */
void producer_join(struct record_session *session, uint32_t nr_nodes);

/* A ring and its first record; stamps are in ticks. */
struct producer producer_begin(struct record_session *session, uint32_t ring, int32_t tid,
			       uint64_t time);
void producer_end(struct producer *producer, uint64_t time);

void producer_word(struct producer *producer, uint64_t word);
void producer_allocate(struct producer *producer, uint64_t time, uint64_t address,
		       uint32_t size, uint32_t node);
void producer_free(struct producer *producer, uint64_t time, uint64_t address);
void producer_reallocate(struct producer *producer, uint64_t time, uint64_t from,
			 uint64_t to, uint64_t size, uint32_t node);
void producer_publish(struct producer *producer);

#endif
