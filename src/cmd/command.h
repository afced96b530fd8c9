/*
 * command: one thing that seep does, and the table of them all.
 *
 * To add a command: write its file with a `const struct command NAME_command`, declare it
 * here, and give it a row in main.c. Help and completion follow from its syntax.
 */
#ifndef SEEP_CMD_COMMAND_H
#define SEEP_CMD_COMMAND_H

#include "cmd/options.h"

/* What a command's exit says; "seep COMMAND --help" explains. */
enum exit_status {
	STATUS_FINE = 0,
	STATUS_FINDINGS = 1,
	STATUS_USAGE = 2,
	STATUS_UNABLE = 3,
};

struct command {
	const struct syntax *syntax;
	/* argv[0] is the command's name. */
	enum exit_status (*run)(char **argv);
};

extern const struct command leaks_command;
extern const struct command heap_command;
extern const struct command query_command;
extern const struct command core_command;
extern const struct command snapshot_command;
extern const struct command run_command;
extern const struct command record_command;
extern const struct command ctl_command;
extern const struct command mark_command;
extern const struct command report_command;
extern const struct command diff_command;
extern const struct command vm_command;
extern const struct command why_command;
extern const struct command doctor_command;
extern const struct command completion_command;
extern const struct command help_command;
extern const struct command version_command;

/* The i-th row of the table, NULL past its end. */
const struct command *command_at(size_t i);
/* NULL if there is none of that name. */
const struct command *command_named(const char *name);
/* Complains that there is no such command, with the nearest one there is. */
enum exit_status command_unknown(const char *name);

/*
 * What every command begins with: parses argv into `values`. False when there is nothing
 * left to do but to return *status: help was asked for, or the command line is wrong.
 */
bool command_begin(const struct command *command, char **argv, void *values,
		   struct operands *operands, enum exit_status *status);

#endif
