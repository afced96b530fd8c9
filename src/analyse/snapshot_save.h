/*
 * snapshot_save: stores a look in a file (doc/FORMAT.md).
 */
#ifndef SEEP_ANALYSE_SNAPSHOT_SAVE_H
#define SEEP_ANALYSE_SNAPSHOT_SAVE_H

#include "analyse/inspection.h"
#include "analyse/snapshot_contents.h"
#include "snap/writer.h"

/* All blocks of the look are classified and named. `contents` may be NULL. */
struct error *snapshot_save(struct inspection *inspection,
			    const struct contents *contents,
			    struct snap_writer *writer) MUST_CHECK;

#endif
