/*
 * core: the plain result of writing a core.
 */
#ifndef SEEP_MODEL_CORE_H
#define SEEP_MODEL_CORE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct core_report {
	pid_t pid;
	char *target;            /* "redis-server (412)"; owned */
	char *path;              /* of the file; owned */
	uint64_t file_bytes;     /* the file's size, holes included */
	uint64_t memory_bytes;   /* of memory in it */
	uint64_t left_out_bytes; /* of memory that is not in it: swapped out */
	uint64_t threads;
	bool copied; /* through a frozen copy; else stopped and read */
	double pause_ms;
};

void core_report_destroy(struct core_report *report);

#endif
