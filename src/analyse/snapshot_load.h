/*
 * snapshot_load: the look that a snapshot file holds (doc/FORMAT.md).
 */
#ifndef SEEP_ANALYSE_SNAPSHOT_LOAD_H
#define SEEP_ANALYSE_SNAPSHOT_LOAD_H

#include "analyse/look.h"
#include "analyse/places.h"

/* Whether the first bytes of the file are a snapshot's. */
bool snapshot_is_file(const char *path);

/*
 * Fills a zeroed look, with graph.places and regions if `flags` (enum look_flags) has
 * LOOK_PLACES and LOOK_EDGE_PLACES and the file has them, and `places`, which belong to the caller also when it fails. Of a
 * file that was cut short the blocks up to the cut, with look->missing_blocks; ERROR_FORMAT
 * when there are none.
 */
struct error *snapshot_load(const char *path, unsigned flags, struct look *look,
			    struct places *places) MUST_CHECK;

#endif
