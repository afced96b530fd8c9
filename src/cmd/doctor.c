/* The command `seep doctor`: what this machine and one process allow. */
#include "seep/doctor.h"
#include "cmd/command.h"
#include "cmd/output.h"
#include "cmd/process.h"
#include "report/report.h"

struct doctor_arguments {
	bool json;
	const char *output;
};

#define FIELD(name) offsetof(struct doctor_arguments, name)

static const struct option options[] = {
	{ .name = "json",
	  .kind = OPTION_FLAG,
	  .field = FIELD(json),
	  .help = "report in JSON, schema seep.doctor/1" },
	OUTPUT_OPTION(FIELD(output), OUTPUT_OF_REPORT),
	{ 0 },
};

static const char *const usage[] = { "doctor [OPTION]... [PID|NAME]", NULL };

static const struct example examples[] = {
	{ "doctor", "may I inspect programs on this machine?" },
	{ "doctor 412", "and this process?" },
	{ "doctor --json redis-server", "the same for a script, by the process's name" },
	{ 0 },
};

static const struct exit_code exit_codes[] = {
	{ STATUS_FINE, "nothing stands in the way" },
	{ STATUS_USAGE,
	  "the command line is wrong, or several processes have that name" },
	{ STATUS_UNABLE, "something refuses; the report says what and how to change it" },
	{ 0 },
};

static const struct syntax syntax = {
	.name = "doctor",
	.summary = "tell what this machine and a process allow seep to do",
	.usage = usage,
	.about =
		"Asks everything that decides whether a process can be inspected, and gives "
		"the exact remedy for what stands in the way. Nothing is stopped or changed.",
	.options = options,
	.operand = OPERAND_PROCESS,
	.examples = examples,
	.exit_codes = exit_codes,
};

static struct error *write_report(const struct doctor_arguments *arguments,
				  const struct doctor_report *report)
{
	const struct report_options style = output_style(arguments->output, stdout);
	struct str text = report_renderer(arguments->json ? "json" : "text")
				  ->doctor(report, &style);
	return output_put(arguments->output, stdout, &text);
}

static struct error *examine(const struct doctor_arguments *arguments,
			     const struct operands *operands,
			     struct doctor_report **report)
{
	pid_t pid = 0;
	struct error *error = process_limit("doctor", operands);
	if (!error && arguments->output)
		error = output_check(arguments->output);
	if (!error && operands->nr)
		error = process_find(operands->items[0], &pid);
	return error ? error : seep_doctor(pid, report);
}

static enum exit_status run(char **argv)
{
	struct doctor_arguments arguments = { 0 };
	struct operands operands;
	enum exit_status status;
	if (!command_begin(&doctor_command, argv, &arguments, &operands, &status))
		return status;
	struct doctor_report *report = NULL;
	struct error *error = examine(&arguments, &operands, &report);
	if (!error)
		error = write_report(&arguments, report);
	if (error)
		status = output_complain(error);
	else
		status = doctor_report_state(report) == DOCTOR_REFUSED ? STATUS_UNABLE
								       : STATUS_FINE;
	seep_doctor_report_destroy(report);
	return status;
}

const struct command doctor_command = { &syntax, run };
