/*
 * doctor_priv: what the checks of doctor.c and doctor_process.c share.
 */
#ifndef SEEP_ANALYSE_DOCTOR_PRIV_H
#define SEEP_ANALYSE_DOCTOR_PRIV_H

#include <stdbool.h>

#include "analyse/doctor.h"
#include "target/process.h"

/* What is known before the checks begin. */
struct doctor_scene {
	pid_t pid;                    /* 0: the machine alone */
	struct process_status status; /* of the process */
	bool may_trace_all;           /* seep has CAP_SYS_PTRACE */
	int yama_scope;               /* 0 where there is no Yama */
	const char *own_path;         /* of the running program, for remedies */
};

/* A question; `ask` fills all of the check but its subject. */
struct doctor_question {
	const char *subject;
	void (*ask)(const struct doctor_scene *scene, struct doctor_check *check);
	bool decides; /* when it refuses, those after it make no sense */
};

/* Sets the state and the sentence of a check; replaces an earlier answer. */
void doctor_answer(struct doctor_check *check, enum doctor_state state,
		   const char *format, ...) __attribute__((format(printf, 3, 4)));
void doctor_remedy(struct doctor_check *check, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/* Takes over an error: its sentence and remedy become those of the check. */
void doctor_answer_error(struct doctor_check *check, enum doctor_state state,
			 struct error *error);

extern const struct doctor_question doctor_machine_questions[];
extern const size_t nr_doctor_machine_questions;

/* Asked of a process that exists. */
extern const struct doctor_question doctor_process_questions[];
extern const size_t nr_doctor_process_questions;

#endif
