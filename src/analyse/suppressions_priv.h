/*
 * suppressions_priv: what the parsers of the three sorts of rules share.
 *
 * To add a sort: write a parser that takes the lines of one rule, declare it here, and give it
 * a row in suppression_file.c.
 */
#ifndef SEEP_ANALYSE_SUPPRESSIONS_PRIV_H
#define SEEP_ANALYSE_SUPPRESSIONS_PRIV_H

#include "analyse/suppressions.h"

/* Longer files are not read. */
#define SUPPRESSION_FILE_MAX (16u << 20)
/* Longer patterns of our own are refused: a name takes as many steps as both are long. */
#define SUPPRESSION_PATTERN_MAX 1000u
/* More frames are refused. Valgrind's own limit is 24. */
#define SUPPRESSION_FRAMES_MAX 256u

/* The lines of a file that say something: no comments, no blanks around them. */
struct suppression_lines {
	const char *file;
	char *at;        /* the first line that was not looked at */
	char *line;      /* the current one; NULL at the end */
	unsigned number; /* its own, from 1 */
};

void suppression_lines_begin(struct suppression_lines *lines, const char *file,
			     char *text);
void suppression_lines_next(struct suppression_lines *lines);

/* Whether a rule of some sort begins with this line. */
bool suppression_begins(const char *line);

/* "FILE:LINE: …"; ERROR_USAGE. */
struct error *suppression_error(const char *file, unsigned line, const char *format, ...)
	__attribute__((format(printf, 3, 4))) MUST_CHECK;
/* The same at the current line. */
#define suppression_line_error(lines, ...)                                               \
	suppression_error((lines)->file, (lines)->number, __VA_ARGS__)

/* A rule that begins at the current line. */
struct error *suppression_init(struct suppression *rule,
			       const struct suppression_lines *lines,
			       const char *name) MUST_CHECK;
void suppression_deinit(struct suppression *rule);
/* Takes the rule over, whether it succeeds or not. */
struct error *suppressions_add(struct suppressions *set,
			       struct suppression *rule) MUST_CHECK;

/* Kinds by their names in reports, joined by commas; or "all". */
struct error *suppression_kinds(const struct suppression_lines *lines, const char *text,
				unsigned *kinds) MUST_CHECK;

/* Sets *copy, which must be NULL, to the pattern; it may not be empty or too long. */
struct error *suppression_pattern(const struct suppression_lines *lines, const char *text,
				  char **copy) MUST_CHECK;

/* Adds a frame as Valgrind writes it: "fun:…", "obj:…", "src:…" or "...". */
struct error *suppression_add_frame(struct suppression *rule,
				    const struct suppression_lines *lines,
				    const char *text) MUST_CHECK;
/* Adds one of that part, whose pattern (a copy is made) may be NULL for PART_FRAMES. */
struct error *suppression_push_frame(struct suppression *rule, enum suppression_part part,
				     const char *pattern) MUST_CHECK;
/* Frames that are all "..." would match every call stack: an error. */
struct error *suppression_check_frames(const struct suppression *rule) MUST_CHECK;
bool suppression_frames_match(const struct suppression_frame_vec *frames,
			      const struct suppression_call *calls, size_t nr);

/* Each takes the lines of one rule, of which the current one is the first. */
struct error *suppression_parse_section(struct suppressions *set,
					struct suppression_lines *lines) MUST_CHECK;
struct error *suppression_parse_valgrind(struct suppressions *set,
					 struct suppression_lines *lines) MUST_CHECK;
struct error *suppression_parse_sanitizer(struct suppressions *set,
					  struct suppression_lines *lines) MUST_CHECK;

#endif
