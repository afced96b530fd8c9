/* doctor: see doctor.h. The questions are in doctor_machine.c and doctor_process.c. */
#include "analyse/doctor.h"

#include <limits.h>
#include <linux/capability.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "analyse/doctor_priv.h"
#include "base/cleanup.h"

void doctor_answer(struct doctor_check *check, enum doctor_state state,
		   const char *format, ...)
{
	va_list args;
	va_start(args, format);
	char *finding = NULL;
	if (vasprintf(&finding, format, args) < 0)
		finding = NULL;
	va_end(args);
	free(check->finding);
	check->finding = finding;
	check->state = state;
}

void doctor_remedy(struct doctor_check *check, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	char *remedy = NULL;
	if (vasprintf(&remedy, format, args) < 0)
		remedy = NULL;
	va_end(args);
	free(check->remedy);
	check->remedy = remedy;
}

void doctor_answer_error(struct doctor_check *check, enum doctor_state state,
			 struct error *error)
{
	doctor_answer(check, state, "%s", error->sentence);
	if (error->remedy)
		doctor_remedy(check, "%s", error->remedy);
	error_destroy(error);
}

/* An effective capability of this process. */
static bool has_capability(unsigned capability)
{
	struct str status = { 0 };
	error_destroy(process_file(getpid(), "status", &status));
	const char *line = strstr(str_text(&status), "\nCapEff:");
	unsigned long long bits = line ? strtoull(line + strlen("\nCapEff:"), NULL, 16)
				       : 0;
	str_deinit(&status);
	return bits >> capability & 1;
}

static int read_yama_scope(void)
{
	CLEANUP_FCLOSE FILE *file = fopen("/proc/sys/kernel/yama/ptrace_scope", "re");
	int scope = 0;
	return file && fscanf(file, "%d", &scope) == 1 ? scope : 0;
}

static struct error *ask_all(const struct doctor_scene *scene,
			     const struct doctor_question *questions, size_t nr,
			     struct doctor_report *report)
{
	for (size_t i = 0; i < nr; i++) {
		struct doctor_check check = { .subject = questions[i].subject };
		questions[i].ask(scene, &check);
		if (!check.finding || !doctor_check_vec_push(&report->checks, check)) {
			free(check.finding);
			free(check.remedy);
			return error_no_memory();
		}
		if (questions[i].decides && check.state == DOCTOR_REFUSED)
			break;
	}
	return NULL;
}

/* A process that is not there is one answer, and there is nothing more to ask. */
static void ask_existence(const struct doctor_scene *scene, struct doctor_check *check)
{
	struct process_status status;
	struct error *error = process_status(scene->pid, 0, &status);
	if (error)
		doctor_answer_error(check, DOCTOR_REFUSED, error);
	else
		doctor_answer(check, DOCTOR_OK, "%s", status.comm);
}

static struct error *ask_process(struct doctor_scene *scene, struct doctor_report *report)
{
	static const struct doctor_question existence = { "process", ask_existence,
							  true };
	struct error *error = process_status(scene->pid, 0, &scene->status);
	bool exists = !error;
	error_destroy(error);
	int length = exists ? asprintf(&report->target, "%s (%d)", scene->status.comm,
				       (int)scene->pid)
			    : asprintf(&report->target, "process %d", (int)scene->pid);
	if (length < 0) {
		report->target = NULL;
		return error_no_memory();
	}
	if (!exists)
		return ask_all(scene, &existence, 1, report);
	return ask_all(scene, doctor_process_questions, nr_doctor_process_questions,
		       report);
}

struct error *analyse_doctor(pid_t pid, struct doctor_report **report)
{
	char own_path[PATH_MAX];
	ssize_t length = readlink("/proc/self/exe", own_path, sizeof(own_path) - 1);
	own_path[length > 0 ? length : 0] = '\0';
	struct doctor_scene scene = {
		.pid = pid,
		.may_trace_all = has_capability(CAP_SYS_PTRACE),
		.yama_scope = read_yama_scope(),
		.own_path = length > 0 ? own_path : "seep",
	};
	struct doctor_report *answers = calloc(1, sizeof(*answers));
	if (!answers)
		return error_no_memory();
	answers->pid = pid;
	struct error *error = ask_all(&scene, doctor_machine_questions,
				      nr_doctor_machine_questions, answers);
	if (!error && pid)
		error = ask_process(&scene, answers);
	if (error)
		doctor_report_destroy(answers);
	else
		*report = answers;
	return error;
}
