/*
 * snapshot_save: stores a look in a file (doc/FORMAT.md).
 */
#ifndef SEEP_ANALYSE_SNAPSHOT_SAVE_H
#define SEEP_ANALYSE_SNAPSHOT_SAVE_H

#include "analyse/inspection.h"
#include "snap/writer.h"

/* Everything from the meta to the end but the contents. All blocks of the look are
   classified and named. */
struct error *snapshot_save(const struct inspection *inspection,
			    struct snap_writer *writer) MUST_CHECK;

#endif
