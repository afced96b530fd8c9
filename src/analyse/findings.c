/* findings: see findings.h. */
#include "analyse/findings_priv.h"

#include <stdlib.h>

static int worst_first(const void *a, const void *b)
{
	const struct leak_finding *left = a, *right = b;
	if (left->kind != right->kind)
		return left->kind < right->kind ? -1 : 1;
	if (left->retained_bytes != right->retained_bytes)
		return left->retained_bytes > right->retained_bytes ? -1 : 1;
	if (left->blocks != right->blocks)
		return left->blocks > right->blocks ? -1 : 1;
	return left->fingerprint < right->fingerprint   ? -1
	       : left->fingerprint > right->fingerprint ? 1
							: 0;
}

static void sort_findings(struct leak_finding_vec *findings)
{
	if (findings->nr)
		qsort(findings->items, findings->nr, sizeof(findings->items[0]),
		      worst_first);
}

static void keep_kinds(struct leak_finding_vec *findings, unsigned kinds)
{
	size_t kept = 0;
	for (size_t i = 0; i < findings->nr; i++)
		if (kinds & (1u << findings->items[i].kind))
			findings->items[kept++] = findings->items[i];
		else
			leak_finding_deinit(&findings->items[i]);
	findings->nr = kept;
}

void findings_cut(struct leaks_report *report, unsigned kinds, unsigned max)
{
	struct leak_finding_vec *findings = &report->findings;
	keep_kinds(findings, kinds);
	sort_findings(findings);
	if (report->diff) {
		keep_kinds(&report->diff->gone, kinds);
		sort_findings(&report->diff->gone);
	}
	if (!max || findings->nr <= max)
		return;
	report->findings_left_out = findings->nr - max;
	while (findings->nr > max)
		leak_finding_deinit(&findings->items[--findings->nr]);
}

struct error *findings_make(const struct findings_input *input,
			    struct leaks_report *report)
{
	struct findings_maker maker = { .in = input, .report = report };
	maker.ruled = suppressions_kinds(input->suppressions);
	maker.asked = maker.ruled | input->options->kinds;
	struct error *error =
		last_holders_init(&maker.holders, input->look, input->reach);
	if (!error)
		error = findings_list_lost(&maker);
	if (!error)
		error = findings_list_held(&maker);
	if (!error)
		error = suppressions_tell(input->suppressions, &report->suppressions);
	map_deinit(&maker.numbers);
	map_deinit(&maker.verdicts);
	findings_group_vec_deinit(&maker.groups);
	last_holders_deinit(&maker.holders);
	return error;
}
