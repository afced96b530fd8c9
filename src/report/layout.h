/*
 * layout: the pieces that text for people is made of; also used for help and errors.
 *
 * Appends to a struct str. A width counts code points (a wide or combining character counts
 * as one column).
 */
#ifndef SEEP_REPORT_LAYOUT_H
#define SEEP_REPORT_LAYOUT_H

#include <stdint.h>

#include "base/str.h"

enum layout_colour {
	LAYOUT_NONE,
	LAYOUT_BOLD,
	LAYOUT_DIM,
	LAYOUT_RED,
	LAYOUT_GREEN,
	LAYOUT_YELLOW,
};

/* Where the text may stand: lines end before `width`; all but the first begin at `indent`. */
struct layout_box {
	unsigned indent;
	unsigned width;  /* 0: 80 */
	unsigned column; /* where the first line goes on */
};

/* Appends text with everything made visible: "\n", "\x1b", "\u{202e}". `flags` are enum
   report_flags: with REPORT_ASCII everything else than ASCII is written that way. */
void layout_escape(struct str *out, const char *text, unsigned flags);

/* Appends text (already visible), broken at spaces, and a newline. A number stays with its
   unit; a word longer than a line is broken after punctuation, or where the line ends.
   Newlines in the text start a new line at the indent. */
void layout_wrap(struct str *out, const char *text, struct layout_box box);

/* The same in a colour, which begins and ends on every line, as pagers want it. */
void layout_wrap_coloured(struct str *out, const char *text, struct layout_box box,
			  unsigned flags, enum layout_colour colour);

/* "812 B", "1.2 kB", "12.3 MB", "123 GB"; "3,001" */
void layout_bytes(struct str *out, uint64_t bytes);
void layout_count(struct str *out, uint64_t count);

/* "no blocks", "1 block", "3,001 blocks" */
void layout_plural(struct str *out, uint64_t count, const char *noun);

/* Appends spaces and text so that the text ends `width` columns on. */
void layout_right(struct str *out, const char *text, unsigned width);

void layout_spaces(struct str *out, unsigned nr);

/* Both append nothing unless `flags` has REPORT_COLOUR. */
void layout_colour(struct str *out, unsigned flags, enum layout_colour colour);
void layout_plain(struct str *out, unsigned flags);

/* How many columns the text takes. */
unsigned layout_columns(const char *text);

#endif
