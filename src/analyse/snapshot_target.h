/*
 * snapshot_target: what a snapshot tells of the target around its heap: regions, modules with
 * their build-ids, threads. No contents.
 */
#ifndef SEEP_ANALYSE_SNAPSHOT_TARGET_H
#define SEEP_ANALYSE_SNAPSHOT_TARGET_H

#include "snap/writer.h"
#include "sym/symbols.h"
#include "target/target.h"

/* The lists are those of the target's last freeze. */
struct error *snapshot_save_target(const struct target *target, struct symbols *symbols,
				   struct snap_writer *writer) MUST_CHECK;

#endif
