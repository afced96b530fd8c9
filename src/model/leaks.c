/* leaks: see leaks.h. */
#include "model/leaks.h"

#include <stdlib.h>

const char *const leak_kind_names[LEAK_NR_KINDS] = {
	[LEAK_DEFINITE] = "definite",     [LEAK_INDIRECT] = "indirect",
	[LEAK_POSSIBLE] = "possible",     [LEAK_REACHABLE] = "reachable",
	[LEAK_SUPPRESSED] = "suppressed",
};

const char *const leak_change_names[LEAK_NR_CHANGES] = {
	[LEAK_UNCHANGED] = "unchanged",
	[LEAK_NEW] = "new",
	[LEAK_GROWN] = "grown",
};

void leak_finding_deinit(struct leak_finding *finding)
{
	for (size_t i = 0; i < finding->examples.nr; i++)
		free(finding->examples.items[i].last_holder);
	leak_example_vec_deinit(&finding->examples);
	call_stack_deinit(&finding->stack);
	free(finding->type);
	free(finding->root);
}

static void free_sentences(char **sentences)
{
	for (char **sentence = sentences; sentence && *sentence; sentence++)
		free(*sentence);
	free(sentences);
}

void leak_findings_deinit(struct leak_finding_vec *findings)
{
	for (size_t i = 0; i < findings->nr; i++)
		leak_finding_deinit(&findings->items[i]);
	leak_finding_vec_deinit(findings);
}

static void leaks_diff_destroy(struct leaks_diff *diff)
{
	if (!diff)
		return;
	leak_findings_deinit(&diff->gone);
	free(diff->from);
	free(diff);
}

void leaks_report_destroy(struct leaks_report *report)
{
	if (!report)
		return;
	leak_findings_deinit(&report->findings);
	leaks_diff_destroy(report->diff);
	free_sentences(report->warnings);
	free_sentences(report->notes);
	for (size_t i = 0; i < report->suppressions.nr; i++)
		leak_suppression_deinit(&report->suppressions.items[i]);
	leak_suppression_vec_deinit(&report->suppressions);
	free(report->target);
	free(report->file);
	free(report->allocator);
	free(report->why_stopped);
	free(report);
}
