/* program: see program.h. */
#include "cmd/program.h"

#include <signal.h>
#include <sys/wait.h>

/* 0: there is none yet. */
static volatile sig_atomic_t program;

static void ignore_signal(int signal)
{
	(void)signal;
}

static void forward_signal(int signal)
{
	if (program > 0)
		kill((pid_t)program, signal);
}

void program_take_signals(void *context, pid_t pid)
{
	static const struct treatment {
		int signal;
		void (*handler)(int signal);
	} treatments[] = {
		{ SIGINT, ignore_signal },   { SIGQUIT, ignore_signal },
		{ SIGTERM, forward_signal }, { SIGHUP, forward_signal },
		{ SIGUSR1, forward_signal }, { SIGUSR2, forward_signal },
	};
	(void)context;
	program = pid;
	for (size_t i = 0; i < ARRAY_SIZE(treatments); i++) {
		struct sigaction before, action = { .sa_handler = treatments[i].handler,
						    .sa_flags = SA_RESTART };
		if (sigaction(treatments[i].signal, NULL, &before) == 0 &&
		    before.sa_handler != SIG_IGN)
			sigaction(treatments[i].signal, &action, NULL);
	}
}

int program_exit_status(int wait_status)
{
	if (WIFSIGNALED(wait_status))
		return PROGRAM_BY_SIGNAL + WTERMSIG(wait_status);
	return WEXITSTATUS(wait_status);
}

struct error *program_check(const char *name, const struct operands *operands)
{
	if (!operands->nr)
		return error_remedy(error_create(ERROR_USAGE, "seep %s needs a command",
						 name),
				    "seep %s -- COMMAND", name);
	if (operands->nr_before)
		return error_remedy(
			error_create(ERROR_USAGE,
				     "seep %s takes the command after \"--\", not "
				     "\"%s\" before it",
				     name, operands->items[0]),
			"seep %s -- %s", name, operands->items[0]);
	return NULL;
}
