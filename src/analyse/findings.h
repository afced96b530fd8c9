/*
 * findings: from a marked graph to the findings of a report.
 */
#ifndef SEEP_ANALYSE_FINDINGS_H
#define SEEP_ANALYSE_FINDINGS_H

#include "analyse/leaks.h"
#include "analyse/look.h"
#include "analyse/places.h"
#include "analyse/suppressions.h"
#include "graph/lost.h"
#include "graph/reach.h"

struct findings_input {
	const struct analyse_leaks_options *options;
	const struct look *look;
	const struct reach *reach;
	const struct lost *lost;
	struct places *places;
	struct suppressions *suppressions; /* what became of each is noted */
};

/* Fills kinds, findings and findings_left_out of the report. */
struct error *findings_make(const struct findings_input *input,
			    struct leaks_report *report) MUST_CHECK;

#endif
