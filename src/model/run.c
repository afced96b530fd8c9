/* run: see run.h. */
#include "model/run.h"

static void deinit_sites(struct run_site_vec *sites)
{
	for (size_t i = 0; i < sites->nr; i++)
		call_stack_deinit(&sites->items[i].stack);
	run_site_vec_deinit(sites);
}

void run_report_destroy(struct run_report *report)
{
	if (!report)
		return;
	leaks_report_destroy(report->leaks);
	deinit_sites(&report->by_peak);
	deinit_sites(&report->by_total);
	sentences_deinit(&report->warnings);
	free(report->target);
	free(report);
}
