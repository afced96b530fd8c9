/* json_leaks: the parts of a report about leaks for programs that others are made of, too. */
#ifndef SEEP_REPORT_JSON_LEAKS_PRIV_H
#define SEEP_REPORT_JSON_LEAKS_PRIV_H

#include "report/json_writer_priv.h"
#include "report/report.h"

/* The keys in "summary". */
void json_leaks_summary(struct json_writer *json, const struct leaks_report *report);
/* One of "findings". */
void json_leaks_finding(struct json_writer *json, const struct leak_finding *finding);
/* NULL: null. */
void json_leaks_diff(struct json_writer *json, const struct leaks_diff *diff);
/* NULL: none. */
void json_leaks_suppressions(struct json_writer *json, const struct leaks_report *report,
			     unsigned flags);

#endif
