/*
 * record: the plain result of recording a program.
 */
#ifndef SEEP_MODEL_RECORD_H
#define SEEP_MODEL_RECORD_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/sentences.h"

struct record_report {
	pid_t pid;
	char *target; /* "xmllint"; owned */
	char *path;   /* of the trace; owned */
	uint64_t file_bytes;
	uint64_t allocations, frees, lost_events;
	uint64_t peak_bytes, live_bytes, live_blocks;
	double seconds;
	int command_status;           /* as waitpid() has it */
	struct sentence_vec warnings; /* what is not as it should be */
};

void record_report_destroy(struct record_report *report);

#endif
