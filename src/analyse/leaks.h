/*
 * leaks: looks for leaks in a process and sums up what was found.
 */
#ifndef SEEP_ANALYSE_LEAKS_H
#define SEEP_ANALYSE_LEAKS_H

#include <sys/types.h>

#include "analyse/baseline.h"
#include "analyse/source.h"
#include "base/error.h"
#include "model/leaks.h"

/* The values of flags, kinds and group_by are those of include/seep/leaks.h. */
enum analyse_group_by { GROUP_BY_CAUSE, GROUP_BY_TYPE, GROUP_BY_SIZE, GROUP_BY_ROOT };
enum analyse_leaks_flags { ANALYSE_STRICT = 1 << 0, ANALYSE_TYPES = 1 << 1 };

struct source_trace;

struct analyse_leaks_options {
	pid_t pid;
	char *const *command; /* instead of pid: start it and look at its exit */
	int *command_status;
	const char *file;    /* instead of pid: holds a process's memory */
	const char *sysroot; /* with file: where the files of its machine are */
	/* What pid is being recorded into, or was whose core `file` is; NULL: nobody records it. */
	const struct source_trace *trace;
	unsigned flags;
	unsigned kinds; /* 1 << enum leak_kind of those to list */
	unsigned group_by;
	const char *const *excludes;     /* patterns on types, NULL-terminated */
	const char *const *suppressions; /* files of rules, NULL-terminated */
	unsigned max_pause_ms, max_findings, max_examples;
	unsigned freeze; /* enum target_freeze */
	uint64_t max_copy_bytes;
	const char *diff_from; /* a snapshot: tell what is new since then */
	/* If not NULL: tell what is new since *baseline (NULL: nothing is known yet, and
	   diff_from counts), and put what this look found there instead. */
	struct baseline **baseline;
	const struct baseline
		*known; /* what an earlier run found; NULL: nothing is compared */
	/* Of `command`; NULL: nobody records it. What is known of stacks is made known by its
	   settle(), as *call_sites. */
	struct source_recording *recording;
	struct call_sites *const *call_sites;
	/* Store what the look saw, with these stacks, in this file; NULL: do not. When that fails it is a
	   warning. */
	const char *snapshot;
};

struct error *analyse_leaks(const struct analyse_leaks_options *options,
			    struct leaks_report **result) MUST_CHECK;

#endif
