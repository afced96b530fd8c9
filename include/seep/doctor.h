/*
 * seep/doctor.h: what this machine and one process allow seep to do, and the remedy for
 * what they do not.
 */
#ifndef SEEP_DOCTOR_H
#define SEEP_DOCTOR_H

#include <sys/types.h>

#ifdef __cplusplus
extern "C" {
#endif

struct doctor_report; /* opaque here; src/model/doctor.h */
struct error;         /* opaque here; src/base/error.h */

/* pid 0: the machine alone. Nothing is stopped or changed by asking. */
struct error *seep_doctor(pid_t pid, struct doctor_report **report);
void seep_doctor_report_destroy(struct doctor_report *report);

#ifdef __cplusplus
}
#endif

#endif
