/*
 * seep/core.h: write an ELF core of a running process, which goes on.
 *
 * The process is stopped for at most `max_pause_ms` at a time; it is never written to. The struct begins with its size, so that a caller built against an older header keeps
 * working: fields past `size` take their defaults (zero).
 */
#ifndef SEEP_CORE_H
#define SEEP_CORE_H

#include <stddef.h>
#include <sys/types.h>

#include "seep/leaks.h"

#ifdef __cplusplus
extern "C" {
#endif

struct core_report; /* opaque here; src/model/core.h */

struct seep_core_options {
	size_t size;           /* sizeof(struct seep_core_options) */
	pid_t pid;             /* of the process */
	const char *output;    /* the file to write, which appears when it is complete */
	unsigned max_pause_ms; /* 0: 200 */
	enum seep_freeze freeze;
	uint64_t
		max_copy_bytes; /* private pages of the copy; 0: what there is room for */
};

/* On success *result is owned by the caller; otherwise the error is. */
struct error *seep_core(const struct seep_core_options *options,
			struct core_report **result);
void seep_core_report_destroy(struct core_report *report);

#ifdef __cplusplus
}
#endif

#endif
