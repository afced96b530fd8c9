/*
 * leaks: looks for leaks in a process and sums up what was found.
 */
#ifndef SEEP_ANALYSE_LEAKS_H
#define SEEP_ANALYSE_LEAKS_H

#include <sys/types.h>

#include "base/error.h"
#include "model/leaks.h"

/* The values of flags, kinds and group_by are those of include/seep/leaks.h. */
enum analyse_group_by { GROUP_BY_CAUSE, GROUP_BY_TYPE, GROUP_BY_SIZE, GROUP_BY_ROOT };
enum analyse_leaks_flags { ANALYSE_STRICT = 1 << 0 };

struct analyse_leaks_options {
	pid_t pid;
	char *const *command; /* instead of pid: start it and look at its exit */
	int *command_status;
	const char *file;    /* instead of pid: holds a process's memory */
	const char *sysroot; /* with file: where the files of its machine are */
	unsigned flags;
	unsigned kinds; /* 1 << enum leak_kind of those to list */
	unsigned group_by;
	const char *const *excludes;     /* patterns on types, NULL-terminated */
	const char *const *suppressions; /* files of rules, NULL-terminated */
	unsigned max_pause_ms, max_findings, max_examples;
	unsigned freeze; /* enum target_freeze */
	uint64_t max_copy_bytes;
};

struct error *analyse_leaks(const struct analyse_leaks_options *options,
			    struct leaks_report **result) MUST_CHECK;

#endif
