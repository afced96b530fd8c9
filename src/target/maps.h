/*
 * maps: the regions of a process, from the text of /proc/PID/maps.
 */
#ifndef SEEP_TARGET_MAPS_H
#define SEEP_TARGET_MAPS_H

#include <stddef.h>

#include "target/target.h"

/*
 * Appends the regions of `text` (need not be NUL-terminated). The text comes from the kernel
 * for a live target but from a file elsewhere, so nothing in it is trusted: a bad line,
 * regions that overlap or descend give ERROR_FORMAT with `source` and the line's number.
 */
struct error *maps_parse(const char *text, size_t size, const char *source,
			 struct region_vec *regions) MUST_CHECK;

/* One line [line, end) of it, without its newline. False if it makes no sense; the region's name
   is to be freed all the same. */
bool maps_parse_line(const char *line, const char *end, struct region *region) MUST_CHECK;

void regions_deinit(struct region_vec *regions);

#endif
