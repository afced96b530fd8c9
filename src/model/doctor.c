/* doctor: see doctor.h. */
#include "model/doctor.h"

#include <stdlib.h>

const char *const doctor_state_names[] = {
	[DOCTOR_OK] = "ok",
	[DOCTOR_LIMITED] = "limited",
	[DOCTOR_REFUSED] = "refused",
	[DOCTOR_UNKNOWN] = "unknown",
};

void doctor_report_destroy(struct doctor_report *report)
{
	if (!report)
		return;
	for (size_t i = 0; i < report->checks.nr; i++) {
		free(report->checks.items[i].finding);
		free(report->checks.items[i].remedy);
	}
	doctor_check_vec_deinit(&report->checks);
	free(report->target);
	free(report);
}

enum doctor_state doctor_report_state(const struct doctor_report *report)
{
	static const int severity[] = {
		[DOCTOR_OK] = 0,
		[DOCTOR_UNKNOWN] = 1,
		[DOCTOR_LIMITED] = 2,
		[DOCTOR_REFUSED] = 3,
	};
	enum doctor_state worst = DOCTOR_OK;
	for (size_t i = 0; i < report->checks.nr; i++)
		if (severity[report->checks.items[i].state] > severity[worst])
			worst = report->checks.items[i].state;
	return worst;
}
