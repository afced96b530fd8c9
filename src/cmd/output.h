/*
 * output: where a command's text goes, and what the place can show.
 */
#ifndef SEEP_CMD_OUTPUT_H
#define SEEP_CMD_OUTPUT_H

#include <stdio.h>

#include "base/error.h"
#include "base/new_file.h"
#include "base/str.h"
#include "cmd/command.h"
#include "report/report.h"

/* A row of a command's table of options; `where` is the offset of the field. */
#define OUTPUT_OPTION(where, words)                                                      \
	{                                                                                \
		.name = "output", .letter = 'o', .kind = OPTION_FILE, .field = (where),  \
		.argument = "FILE", .help = words                                        \
	}
/* What it writes but for a core, a snapshot or a trace. */
#define OUTPUT_OF_REPORT "write the report to a file, which appears when it is complete"

/* Of the terminal, 80 where there is none. */
unsigned output_width(FILE *stream);

/* enum report_flags for a stream: colour and ASCII, by isatty, NO_COLOR, TERM and locale. */
unsigned output_flags(FILE *stream);

/* How to render what output_write() is to write there: a file has no width and no colours. */
struct report_options output_style(const char *path, FILE *stream);

/* Whether a file could be written, asked before the work is done. It is not touched. */
struct error *output_check(const char *path) MUST_CHECK;

/*
 * Writes all of the text, to the file `path` or, when that is NULL, to the stream. A regular
 * file appears complete or not at all (it is written beside and renamed), mode 0600; a
 * device or pipe is written to.
 */
struct error *output_write(const char *path, FILE *stream,
			   const struct str *text) MUST_CHECK;

/* The same, and ends the text. */
struct error *output_put(const char *path, FILE *stream, struct str *text) MUST_CHECK;

/* The same for text that comes bit by bit: output_add() empties what it wrote, output_close()
   makes the file appear, and output_drop() ends it in any case. */
struct output {
	const char *path;
	FILE *stream;
	struct new_file file;
	int special; /* a device or pipe, -1: none */
};
struct error *output_open(const char *path, FILE *stream,
			  struct output *output) MUST_CHECK;
struct error *output_add(struct output *output, struct str *text) MUST_CHECK;
struct error *output_close(struct output *output) MUST_CHECK;
void output_drop(struct output *output);

/* Prints the error to stderr, ends it, and says how the command ends. */
enum exit_status output_complain(struct error *error);

#endif
