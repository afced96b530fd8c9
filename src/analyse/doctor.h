/*
 * doctor: asks the machine and a process everything that decides whether seep can look into
 * it. Nothing is stopped or changed.
 *
 * All checks run, whatever the ones before say. To add one: write its function in doctor.c
 * or doctor_process.c and give it a row in the table at that file's end.
 */
#ifndef SEEP_ANALYSE_DOCTOR_H
#define SEEP_ANALYSE_DOCTOR_H

#include <sys/types.h>

#include "base/error.h"
#include "model/doctor.h"

/* pid 0: the machine alone. A process that does not exist is an answer, not an error. */
struct error *analyse_doctor(pid_t pid, struct doctor_report **report) MUST_CHECK;

#endif
