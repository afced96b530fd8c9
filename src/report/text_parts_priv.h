/* text_parts: pieces that reports for people share. `flags` are enum report_flags. */
#ifndef SEEP_REPORT_TEXT_PARTS_PRIV_H
#define SEEP_REPORT_TEXT_PARTS_PRIV_H

#include "report/layout.h"
#include "report/report.h"

/* A name of the target's. Long C++ names say most at their ends: the middle goes. */
void text_put_name(struct str *out, const char *name, unsigned flags);

/* The same in at most so many columns: the end goes. */
void text_put_short_name(struct str *out, const char *name, unsigned flags,
			 unsigned columns);

/* The first sentence of a page, which is taken and empty then. */
void text_put_verdict(struct str *out, struct str *verdict, unsigned flags,
		      unsigned width);

/* What a sentence begins with, and stands to the right of. */
struct text_title {
	const char *text;
	enum layout_colour colour;
};

void text_put_sentence(struct str *out, const struct text_title *title,
		       const char *sentence, unsigned flags, unsigned width);

/* `warnings` ends with NULL, and may be NULL. */
void text_put_warnings(struct str *out, char *const *warnings, unsigned flags,
		       unsigned width);

/* The command that is worth running next: its words, what it is run on, and what for. */
struct text_next {
	const char *words, *target, *purpose;
};

/* The last line. The purpose is told where there is room for it. */
void text_put_next(struct str *out, const struct text_next *next, unsigned flags,
		   unsigned width);

#endif
