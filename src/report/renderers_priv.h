/* renderers: the functions behind the rows of report.c. */
#ifndef SEEP_REPORT_RENDERERS_PRIV_H
#define SEEP_REPORT_RENDERERS_PRIV_H

#include "report/report.h"

struct str leaks_text(const struct leaks_report *report,
		      const struct report_options *options);
struct str leaks_json(const struct leaks_report *report,
		      const struct report_options *options);
/* The same without the next command and without rules. */
struct str leaks_text_body(const struct leaks_report *report,
			   const struct report_options *options);
struct str doctor_text(const struct doctor_report *report,
		       const struct report_options *options);
struct str doctor_json(const struct doctor_report *report,
		       const struct report_options *options);
struct str snapshot_text(const struct snapshot_report *report,
			 const struct report_options *options);
struct str snapshot_json(const struct snapshot_report *report,
			 const struct report_options *options);

struct str heap_text(const struct heap_report *report,
		     const struct report_options *options);
struct str heap_json(const struct heap_report *report,
		     const struct report_options *options);

struct str core_text(const struct core_report *report,
		     const struct report_options *options);
struct str core_json(const struct core_report *report,
		     const struct report_options *options);

struct str recording_text(const struct recording_report *report,
			  const struct report_options *options);
struct str recording_json(const struct recording_report *report,
			  const struct report_options *options);
struct str recording_diff_text(const struct recording_diff *diff,
			       const struct report_options *options);
struct str recording_diff_json(const struct recording_diff *diff,
			       const struct report_options *options);
/* These need report->tree. */
struct str recording_folded(const struct recording_report *report,
			    const struct report_options *options);
struct str recording_pprof(const struct recording_report *report,
			   const struct report_options *options);
struct str recording_svg(const struct recording_report *report,
			 const struct report_options *options);
struct str recording_html(const struct recording_report *report,
			  const struct report_options *options);
struct str recording_csv(const struct recording_report *report,
			 const struct report_options *options);

struct str run_text(const struct run_report *report,
		    const struct report_options *options);
struct str run_json(const struct run_report *report,
		    const struct report_options *options);
struct str run_junit(const struct run_report *report,
		     const struct report_options *options);
struct str run_sarif(const struct run_report *report,
		     const struct report_options *options);

struct str vm_text(const struct vm_report *report, const struct report_options *options);
struct str why_text(const struct why_report *report,
		    const struct report_options *options);
struct str why_json(const struct why_report *report,
		    const struct report_options *options);
struct str vm_json(const struct vm_report *report, const struct report_options *options);

/* What became of the suppressions, for leaks_text(): nothing when there were none. */
void suppressions_text(struct str *out, const struct leaks_report *report, unsigned flags,
		       unsigned width);

/* A rule for each finding (rules.c). */
void rules_put(struct str *out, const struct leaks_report *report);
/* A file of them with a page above, which it takes over, as a comment: that makes the page's
   lines that much wider. Without leaks there are no rules. */
#define RULES_COMMENT_WIDTH 2u
struct str rules_file(struct str *page, const struct leaks_report *leaks);

#endif
