/*
 * seep: the command table. Nothing outside this folder prints or exits.
 */
#include <fcntl.h>
#include <locale.h>
#include <string.h>
#include <unistd.h>

#include "cmd/command.h"
#include "cmd/help.h"
#include "cmd/output.h"
#include "cmd/suggest.h"

static const struct command *const commands[] = {
	&leaks_command,   &heap_command,   &query_command,      &run_command,
	&record_command,  &report_command, &diff_command,       &snapshot_command,
	&core_command,    &ctl_command,    &mark_command,       &vm_command,
	&why_command,     &doctor_command, &completion_command, &help_command,
	&version_command,
};

/* What is written with dashes out of habit. */
static const struct alias {
	const char *word, *command;
} aliases[] = {
	{ "--help", "help" },       { "-help", "help" },       { "-h", "help" },
	{ "--version", "version" }, { "-version", "version" }, { "-V", "version" },
};

const struct command *command_at(size_t i)
{
	return i < ARRAY_SIZE(commands) ? commands[i] : NULL;
}

const struct command *command_named(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		if (!strcmp(commands[i]->syntax->name, name))
			return commands[i];
	return NULL;
}

enum exit_status command_unknown(const char *name)
{
	const char *names[ARRAY_SIZE(commands)];
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		names[i] = commands[i]->syntax->name;
	const char *nearest = suggest_nearest(name, names, ARRAY_SIZE(names));
	struct error *error =
		error_create(ERROR_USAGE, "seep has no command \"%s\"", name);
	if (nearest)
		return output_complain(error_remedy(error, "seep %s", nearest));
	return output_complain(error_remedy(error, "seep help"));
}

bool command_begin(const struct command *command, char **argv, void *values,
		   struct operands *operands, enum exit_status *status)
{
	struct error *error = options_parse(command->syntax, argv, values, operands);
	if (!error && operands->wants_help) {
		struct str text = help_text(command->syntax, output_width(stdout));
		error = output_write(NULL, stdout, &text);
		str_deinit(&text);
		*status = STATUS_FINE;
	}
	if (!error && operands->wants_help)
		return false;
	if (!error && operands->nr && command->syntax->operand == OPERAND_NONE)
		error = error_create(ERROR_USAGE, "seep %s takes no \"%s\"",
				     command->syntax->name, operands->items[0]);
	if (!error)
		return true;
	*status = output_complain(error);
	return false;
}

/*
 * A file that is opened later must not become stdin, stdout or stderr by accident. Each
 * closed one is opened the wrong way round, so that using it fails as before.
 */
static void hold_standard_streams(void)
{
	static const int modes[] = { O_WRONLY, O_RDONLY, O_RDONLY };
	for (int fd = 0; fd < (int)ARRAY_SIZE(modes); fd++)
		if (fcntl(fd, F_GETFD) < 0)
			open("/dev/null", modes[fd]);
}

static enum exit_status run_named(const char *name, char **argv)
{
	for (size_t i = 0; i < ARRAY_SIZE(aliases); i++)
		if (!strcmp(aliases[i].word, name))
			name = aliases[i].command;
	const struct command *command = command_named(name);
	return command ? command->run(argv) : command_unknown(name);
}

int main(int argc, char **argv)
{
	hold_standard_streams();
	setlocale(LC_CTYPE, "");
	if (argc > 1)
		return run_named(argv[1], argv + 1);
	struct str text = help_overview(output_width(stderr));
	fputs(str_text(&text), stderr);
	str_deinit(&text);
	return STATUS_USAGE;
}
