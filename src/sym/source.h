/*
 * source: the text of a line of source, and of those around it.
 *
 * A path that comes from debug information may be anything: only a regular file of bounded size
 * is read, and lines are cut where they get too long to show.
 */
#ifndef SEEP_SYM_SOURCE_H
#define SEEP_SYM_SOURCE_H

#include <stdint.h>

#include "base/error.h"
#include "base/sentences.h"

/* The lines [line - around, line + around] of a file as far as it has them, without their ends;
   *first: the number of the first of them. No lines when the file cannot be read or is shorter
   than `line`. Appends to `texts`; the only error is that memory ran out. */
struct error *source_excerpt(const char *path, uint32_t line, uint32_t around,
			     struct sentence_vec *texts, uint32_t *first) MUST_CHECK;

#endif
