/* renderers: the functions behind the rows of report.c. */
#ifndef SEEP_REPORT_RENDERERS_PRIV_H
#define SEEP_REPORT_RENDERERS_PRIV_H

#include "report/report.h"

struct str leaks_text(const struct leaks_report *report,
		      const struct report_options *options);
struct str leaks_json(const struct leaks_report *report,
		      const struct report_options *options);
struct str doctor_text(const struct doctor_report *report,
		       const struct report_options *options);
struct str doctor_json(const struct doctor_report *report,
		       const struct report_options *options);

struct str core_text(const struct core_report *report,
		     const struct report_options *options);
struct str core_json(const struct core_report *report,
		     const struct report_options *options);

#endif
