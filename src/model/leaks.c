/* leaks: see leaks.h. */
#include "model/leaks.h"

#include <stdlib.h>

const char *const leak_kind_names[LEAK_NR_KINDS] = {
	[LEAK_DEFINITE] = "definite",     [LEAK_INDIRECT] = "indirect",
	[LEAK_POSSIBLE] = "possible",     [LEAK_REACHABLE] = "reachable",
	[LEAK_SUPPRESSED] = "suppressed",
};

static void leak_finding_deinit(struct leak_finding *finding)
{
	for (size_t i = 0; i < finding->examples.nr; i++)
		free(finding->examples.items[i].last_holder);
	leak_example_vec_deinit(&finding->examples);
	free(finding->type);
	free(finding->root);
}

static void free_sentences(char **sentences)
{
	for (char **sentence = sentences; sentence && *sentence; sentence++)
		free(*sentence);
	free(sentences);
}

void leaks_report_destroy(struct leaks_report *report)
{
	if (!report)
		return;
	for (size_t i = 0; i < report->findings.nr; i++)
		leak_finding_deinit(&report->findings.items[i]);
	leak_finding_vec_deinit(&report->findings);
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
