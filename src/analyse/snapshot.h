/*
 * snapshot: takes a look at a target and stores it in a file, from which the same questions
 * can be answered later and elsewhere.
 */
#ifndef SEEP_ANALYSE_SNAPSHOT_H
#define SEEP_ANALYSE_SNAPSHOT_H

#include "analyse/source.h"
#include "model/snapshot.h"

enum analyse_snapshot_flags {
	ANALYSE_CONTENTS = 1 << 0,
	ANALYSE_WITH_TYPES = 1 << 1,
	ANALYSE_WITH_ANSWERS = 1 << 2,
};

struct analyse_snapshot_options {
	struct source_options source;
	const char *output; /* the file to write */
	unsigned flags;     /* enum analyse_snapshot_flags */
};

struct inspection;
/* Stores what a look saw, of which all blocks are classified and named. */
struct error *snapshot_write(struct inspection *inspection, const char *path) MUST_CHECK;

struct error *analyse_snapshot(const struct analyse_snapshot_options *options,
			       struct snapshot_report **result) MUST_CHECK;

#endif
