/*
 * doctor: the plain result of asking what a machine and a process allow.
 */
#ifndef SEEP_MODEL_DOCTOR_H
#define SEEP_MODEL_DOCTOR_H

#include <sys/types.h>

#include "base/vec.h"

enum doctor_state { DOCTOR_OK, DOCTOR_LIMITED, DOCTOR_REFUSED, DOCTOR_UNKNOWN };

/* "ok", "limited", "refused", "unknown" */
extern const char *const doctor_state_names[];

/* One question and its answer. */
struct doctor_check {
	const char *subject; /* "ptrace", "allocator", … static */
	enum doctor_state state;
	char *finding; /* a sentence; owned */
	char *remedy;  /* what to do about it; NULL if nothing; owned */
};
DEFINE_VEC(doctor_check_vec, struct doctor_check);

struct doctor_report {
	pid_t pid;    /* 0: the machine alone */
	char *target; /* NULL without one; owned */
	struct doctor_check_vec checks;
};

/* The worst of its checks: refused, limited, unknown, ok. */
enum doctor_state doctor_report_state(const struct doctor_report *report);

void doctor_report_destroy(struct doctor_report *report);

#endif
