/*
 * report: turns a plain result into text for people or JSON for programs.
 *
 * A renderer returns a struct str that the caller ends with str_deinit(); its `failed` says
 * that memory ran out. Nothing here prints. Text begins with the verdict and ends with the
 * next useful command. Sizes in text count in thousands (1 kB is 1000 bytes), JSON has exact
 * integers. Names that come from the target are never trusted: what could steer a terminal
 * is written as an escape, and JSON is always valid UTF-8.
 *
 * To add a renderer: write its functions, declare them in renderers_priv.h, and give
 * them a row in report.c.
 */
#ifndef SEEP_REPORT_REPORT_H
#define SEEP_REPORT_REPORT_H

#include "base/str.h"
#include "model/core.h"
#include "model/doctor.h"
#include "model/heap.h"
#include "model/leaks.h"
#include "model/record.h"
#include "model/recording.h"
#include "model/run.h"
#include "model/snapshot.h"
#include "model/vm.h"
#include "model/why.h"

enum report_flags {
	REPORT_COLOUR = 1 << 0,
	REPORT_ASCII = 1 << 1,   /* the reader's terminal does not speak UTF-8 */
	REPORT_VERBOSE = 1 << 2, /* fingerprints, counts of threads, roots and edges */
	REPORT_ENDED = 1 << 3,   /* the target is gone: suggest nothing that needs it */
	/* Also rules that suppress the findings. Text becomes a file of such rules, in which
	   the report is a comment; JSON has the file as a string. */
	REPORT_RULES = 1 << 4,
	REPORT_BRIEF = 1 << 5,   /* one of many: text is what differs, JSON one line */
	REPORT_REGIONS = 1 << 6, /* of memory: every region, not only their types */
	REPORT_PAGES = 1 << 7,   /* of memory: sizes in pages */
};

/* How to render; a zeroed struct is 80 columns of plain text. */
struct report_options {
	unsigned width; /* columns; 0: 80 */
	unsigned flags; /* enum report_flags */
	const char *
		again; /* what follows "seep leaks" to look again: "412"; NULL: unknown */
};

struct report_renderer {
	const char *name;
	struct str (*leaks)(const struct leaks_report *report,
			    const struct report_options *options);
	struct str (*doctor)(const struct doctor_report *report,
			     const struct report_options *options);
	struct str (*core)(const struct core_report *report,
			   const struct report_options *options);
	struct str (*snapshot)(const struct snapshot_report *report,
			       const struct report_options *options);
	struct str (*recording)(const struct recording_report *report,
				const struct report_options *options);
	struct str (*recording_diff)(const struct recording_diff *diff,
				     const struct report_options *options);
	struct str (*run)(const struct run_report *report,
			  const struct report_options *options);
	struct str (*vm)(const struct vm_report *report,
			 const struct report_options *options);
	struct str (*why)(const struct why_report *report,
			  const struct report_options *options);
	struct str (*heap)(const struct heap_report *report,
			   const struct report_options *options);
};

/* "text", "json", or for one sort of report "csv", "sarif", … (report.c); NULL if there is none
   of that name. What a renderer does not do is NULL. */
const struct report_renderer *report_renderer(const char *name);

/* What has changed between two looks at the same processes, for people. */
struct str report_vm_changes(const struct vm_report *before, const struct vm_report *now,
			     const struct report_options *options);

/* What seep record says when the program has ended; its stdout is not seep's to write JSON to.
   `again` is what follows "seep report". */
struct str report_record_text(const struct record_report *report,
			      const struct report_options *options);

/* Coverage below this is too little to say that there are no leaks. */
#define REPORT_FULL_COVERAGE_PERCENT 99.0

#endif
