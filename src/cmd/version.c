/* The command `seep version`. */
#include "cmd/version.h"

#include "cmd/command.h"
#include "cmd/output.h"

static const char *const usage[] = { "version", NULL };

static const struct syntax syntax = {
	.name = "version",
	.summary = "print the version of seep",
	.usage = usage,
};

static enum exit_status run(char **argv)
{
	struct operands operands;
	enum exit_status status;
	if (!command_begin(&version_command, argv, NULL, &operands, &status))
		return status;
	struct str text = { 0 };
	str_puts(&text, "seep " SEEP_VERSION "\n");
	struct error *error = output_write(NULL, stdout, &text);
	str_deinit(&text);
	return error ? output_complain(error) : STATUS_FINE;
}

const struct command version_command = { &syntax, run };
