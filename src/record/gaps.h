/* gaps: says what a recording does not hold, and why. */
#ifndef SEEP_RECORD_GAPS_H
#define SEEP_RECORD_GAPS_H

#include "base/sentences.h"
#include "record/consumer.h"

struct gaps {
	const struct consumer *consumer; /* after its last round */
	const struct error *trouble;     /* why it stopped early, or NULL */
	const char *why_lost;            /* why events were lost, should some have been */
};

/* Appends a sentence for each gap. That the program executed another is not one: whether that is
   recorded is the caller's choice. */
struct error *gaps_tell(const struct gaps *gaps,
			struct sentence_vec *warnings) MUST_CHECK;

#endif
