/*
 * seep/why.h: why a process has so much memory resident: every page of it, and what stands on
 * the pages of its heap.
 *
 * The process is stopped for at most `max_pause_ms`, read, and let go; or read through a frozen
 * copy. Its memory is never written. Structs begin with their size, as in seep/leaks.h.
 */
#ifndef SEEP_WHY_H
#define SEEP_WHY_H

#include <stddef.h>
#include <sys/types.h>

#include "seep/leaks.h"

#ifdef __cplusplus
extern "C" {
#endif

struct why_report; /* opaque here; src/model/why.h */
struct error;      /* opaque here; src/base/error.h */

struct seep_why_options {
	size_t size; /* sizeof(struct seep_why_options) */
	pid_t pid;
	unsigned max_pause_ms; /* 0: 200 */
	enum seep_freeze freeze;
	uint64_t
		max_copy_bytes; /* private pages of the copy; 0: what there is room for */
	const char *recording;  /* as in seep/heap.h: blocks go by what allocated them */
};

/* On success *report is owned by the caller; otherwise the error is. */
struct error *seep_why(const struct seep_why_options *options,
		       struct why_report **report);
void seep_why_report_destroy(struct why_report *report);

#ifdef __cplusplus
}
#endif

#endif
