/* leaks_page: the parts of a leaks report for people, and what all of them need. */
#ifndef SEEP_REPORT_LEAKS_PAGE_PRIV_H
#define SEEP_REPORT_LEAKS_PAGE_PRIV_H

#include "report/report.h"

struct leaks_page {
	struct str out;
	const struct leaks_report *report;
	const struct report_options *options;
	unsigned flags, width;
};

/* Whether so much of the heap was read that it counts as all. */
static inline bool leaks_is_covered(const struct leaks_report *report)
{
	return report->coverage_percent >= REPORT_FULL_COVERAGE_PERCENT;
}

/* "98.99 %": cut off, not rounded, so that 98.999 does not look like enough. */
void leaks_put_percent(struct str *out, double percent);

/* "3 leaks: 1.2 kB lost in 3 blocks of server (412)" (leaks_verdict.c) */
void leaks_put_verdict(struct leaks_page *page);

/* What was found, and what an earlier look had found and is gone (leaks_findings.c). */
void leaks_put_findings(struct leaks_page *page);

/* What was counted, and how it was looked at (leaks_summary.c). */
void leaks_put_summary(struct leaks_page *page);

#endif
