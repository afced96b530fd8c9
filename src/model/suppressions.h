/*
 * suppressions: what became of each rule that says which leaks are known.
 */
#ifndef SEEP_MODEL_SUPPRESSIONS_H
#define SEEP_MODEL_SUPPRESSIONS_H

#include <stdint.h>

#include "base/vec.h"

/* From SUPPRESSION_EXPIRED on, a rule cannot match anything. */
enum leak_suppression_state {
	SUPPRESSION_USED,
	SUPPRESSION_UNUSED,
	SUPPRESSION_EXPIRED,
	SUPPRESSION_NEEDS_STACKS, /* it is about call stacks, and there are none */
	SUPPRESSION_NOT_ABOUT_LEAKS,
	SUPPRESSION_NR_STATES,
};

/* "used", "unused", "expired", "needs_stacks", "not_about_leaks" */
extern const char *const leak_suppression_state_names[SUPPRESSION_NR_STATES];

struct leak_count {
	uint64_t blocks, bytes;
};

/* Strings are owned. */
struct leak_suppression {
	char *file;       /* NULL: given on the command line */
	unsigned line;    /* where it begins there, from 1 */
	char *name;       /* what it calls itself */
	char *reason;     /* NULL: it says none */
	unsigned expires; /* its last day, as the decimal number 20261231; 0: never */
	enum leak_suppression_state state;
	struct leak_count matched; /* what several suppressed leaks share is in none */
};
DEFINE_VEC(leak_suppression_vec, struct leak_suppression);

void leak_suppression_deinit(struct leak_suppression *suppression);

#endif
