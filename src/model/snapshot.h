/*
 * snapshot: the plain result of storing a snapshot.
 */
#ifndef SEEP_MODEL_SNAPSHOT_H
#define SEEP_MODEL_SNAPSHOT_H

#include <stdint.h>
#include <sys/types.h>

struct snapshot_report {
	pid_t pid;
	char *target;    /* "redis-server (412)"; owned */
	char *allocator; /* "glibc 2.36"; owned */
	char *path;      /* of the file; owned */
	uint64_t file_bytes;
	uint64_t blocks, block_bytes, edges, roots;
	uint64_t contents_bytes; /* of memory; 0: the contents were not asked for */
	uint64_t heap_bytes;     /* that the allocator has mapped */
	double coverage_percent;
	double pause_ms; /* the longest of the looks */
	unsigned looks;  /* how often the target was stopped */
};

void snapshot_report_destroy(struct snapshot_report *report);

#endif
