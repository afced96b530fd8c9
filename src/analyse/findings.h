/*
 * findings: from a marked graph to the findings of a report.
 */
#ifndef SEEP_ANALYSE_FINDINGS_H
#define SEEP_ANALYSE_FINDINGS_H

#include "analyse/baseline.h"
#include "analyse/call_sites.h"
#include "analyse/leaks.h"
#include "analyse/look.h"
#include "analyse/places.h"
#include "analyse/suppressions.h"
#include "analyse/traced_stacks.h"
#include "graph/lost.h"
#include "graph/reach.h"

struct findings_input {
	const struct analyse_leaks_options *options;
	const struct look *look;
	const struct reach *reach;
	const struct lost *lost;
	struct places *places;
	struct suppressions *suppressions; /* what became of each is noted */
	struct call_sites *sites;          /* NULL: nothing is known of stacks */
	const struct traced_stacks
		*traced; /* whose sites these are; NULL: of addresses */
	/* Of the same process: only what it lacks counts as new, and makes an example. NULL:
	   nothing is compared, or only numbers are, by baseline_compare(). */
	const struct baseline *before;
	struct baseline *now; /* NULL, or where every listed block is noted */
};

/* Fills kinds and findings of the report. */
struct error *findings_make(const struct findings_input *input,
			    struct leaks_report *report) MUST_CHECK;

/* Puts the worst first and takes out what is of none of the kinds (1 << enum leak_kind), or
   past the first `max` (0: none is). */
void findings_cut(struct leaks_report *report, unsigned kinds, unsigned max);

#endif
