/*
 * own_pages: memory that seep's runtime has in a process for itself (raw/pages.h).
 *
 * It is known by advice that only the runtime gives about anonymous memory, as /proc/PID/smaps
 * tells it: not to be dumped ("dd"), and read at random ("rr").
 */
#ifndef SEEP_TARGET_OWN_PAGES_H
#define SEEP_TARGET_OWN_PAGES_H

#include "target/target.h"

/* Appends such ranges, ascending. */
struct error *own_pages_find(pid_t pid, struct extent_vec *ranges) MUST_CHECK;
/* The same from the text of a smaps file. */
struct error *own_pages_parse(const char *smaps, struct extent_vec *ranges) MUST_CHECK;

#endif
