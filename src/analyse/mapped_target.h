/*
 * mapped_target: a target of which no more is known than its regions and threads: a snapshot
 * without contents, or a process whose memory must not be read.
 */
#ifndef SEEP_ANALYSE_MAPPED_TARGET_H
#define SEEP_ANALYSE_MAPPED_TARGET_H

#include "target/target.h"

/* Takes over the regions; `name` is copied. */
struct error *mapped_target_create(pid_t pid, const char *name,
				   struct region_vec *regions,
				   struct target **result) MUST_CHECK;

/* Of a snapshot without contents; of one that has them *target stays NULL, for they tell more. */
struct error *mapped_target_of_snapshot(const char *path,
					struct target **target) MUST_CHECK;

#endif
