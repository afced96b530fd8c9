/*
 * solo: seep's side of raw/solo.h: whose events need no clock.
 */
#ifndef SEEP_RECORD_SOLO_H
#define SEEP_RECORD_SOLO_H

#include "record/rings.h"

/* A zeroed struct has seen nothing. */
struct solo {
	uint32_t ring;      /* that alone had records, if nr_rounds is not 0 */
	uint32_t nr_rounds; /* so many were its own; since it is solo, of all */
	uint32_t patience;  /* so many are waited for: more where it was in vain */
	bool is_given;      /* somebody is solo, unless it was ended since */
};

/* After a round. */
void solo_end_round(struct solo *solo, const struct rings *rings,
		    struct session *session);

#endif
