/* lib/doctor: seep/doctor.h over the analysis. */
#include "seep/doctor.h"

#include "analyse/doctor.h"
#include "base/error.h"
#include "model/doctor.h"

struct error *seep_doctor(pid_t pid, struct doctor_report **report)
{
	if (pid < 0)
		return error_create(ERROR_USAGE,
				    "seep_doctor: a pid is a positive number");
	return analyse_doctor(pid, report);
}

void seep_doctor_report_destroy(struct doctor_report *report)
{
	doctor_report_destroy(report);
}
