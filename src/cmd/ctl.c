/* The commands `seep ctl` and `seep mark`: what a recording is told while it runs. */
#include <string.h>

#include "cmd/command.h"
#include "cmd/output.h"
#include "cmd/process.h"
#include "seep/record.h"

static const struct exit_code exit_codes[] = {
	{ STATUS_FINE, "it was done" },
	{ STATUS_USAGE,
	  "the command line is wrong, or several processes have that name" },
	{ STATUS_UNABLE, "the process is not being recorded" },
	{ 0 },
};

static const struct syntax ctl_syntax = {
	.name = "ctl",
	.summary = "have a recording pause or go on",
	.usage = (const char *const[]){ "ctl PID|NAME start|stop", NULL },
	.about =
		"While a recording is stopped the program runs as fast as without seep, and "
		"what it allocates and frees is not known. The trace says when that was.",
	.operand = OPERAND_PROCESS,
	.examples =
		(const struct example[]){
			{ "record --paused -- ./server", "start a program unrecorded" },
			{ "ctl server start", "record it from now on" },
			{ 0 },
		},
	.exit_codes = exit_codes,
};

static const struct syntax mark_syntax = {
	.name = "mark",
	.summary = "give a moment of a recording a name",
	.usage = (const char *const[]){ "mark PID|NAME TEXT", NULL },
	.about = "seep report then tells what grew between two marks.",
	.operand = OPERAND_PROCESS,
	.examples =
		(const struct example[]){
			{ "mark server 'before the test'", "name this moment" },
			{ 0 },
		},
	.exit_codes = exit_codes,
};

static struct error *check_operands(const struct syntax *syntax,
				    const struct operands *operands, const char *second)
{
	if (operands->nr == 2)
		return NULL;
	return error_remedy(error_create(ERROR_USAGE, "seep %s needs a process and %s",
					 syntax->name, second),
			    "seep %s --help", syntax->name);
}

static enum exit_status ask(const char *target, enum seep_record_verb verb,
			    const char *name)
{
	pid_t pid = 0;
	struct error *error = process_find(target, &pid);
	if (!error)
		error = seep_record_control(pid, verb, name);
	return error ? output_complain(error) : STATUS_FINE;
}

static enum exit_status run_ctl(char **argv)
{
	static const struct verb {
		const char *word;
		enum seep_record_verb verb;
	} verbs[] = { { "start", SEEP_RECORD_START }, { "stop", SEEP_RECORD_STOP } };
	struct operands operands;
	enum exit_status status;
	if (!command_begin(&ctl_command, argv, NULL, &operands, &status))
		return status;
	struct error *error =
		check_operands(&ctl_syntax, &operands, "what to do: start or stop");
	if (error)
		return output_complain(error);
	for (size_t i = 0; i < ARRAY_SIZE(verbs); i++)
		if (!strcmp(verbs[i].word, operands.items[1]))
			return ask(operands.items[0], verbs[i].verb, NULL);
	return output_complain(
		error_remedy(error_create(ERROR_USAGE, "seep ctl does not know \"%s\"",
					  operands.items[1]),
			     "use start or stop"));
}

static enum exit_status run_mark(char **argv)
{
	struct operands operands;
	enum exit_status status;
	if (!command_begin(&mark_command, argv, NULL, &operands, &status))
		return status;
	struct error *error = check_operands(&mark_syntax, &operands, "a name");
	if (error)
		return output_complain(error);
	return ask(operands.items[0], SEEP_RECORD_MARK, operands.items[1]);
}

const struct command ctl_command = { &ctl_syntax, run_ctl };
const struct command mark_command = { &mark_syntax, run_mark };
