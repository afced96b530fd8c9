/* launch: see launch.h. */
#include "record/launch.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/vec.h"
#include "raw/session.h"
#include "record/image.h"

/* --- the runtime -------------------------------------------------------------------- */

static const char *const runtimes[] = {
	[IMAGE_GLIBC] = "libseep-runtime.so",
	[IMAGE_MUSL] = "libseep-runtime-musl.so",
};

/* Beside the program seep, as in the folder that it is built in; or where it is installed. */
static const char *const places[] = { ".", "src/runtime", SEEP_BIN_TO_LIB };

/* seep may well have been built without the one for musl. */
static struct error *has_no_runtime(const struct launch *launch, const char *folder)
{
	if (launch->libc == IMAGE_MUSL)
		return error_remedy(
			error_create(ERROR_REFUSED,
				     "%s runs on musl, and this seep was built without "
				     "%s, its runtime for that",
				     launch->path, runtimes[launch->libc]),
			"build seep where musl-gcc is installed (Debian: musl-tools), "
			"or the program for glibc");
	return error_remedy(error_create(ERROR_SYSTEM,
					 "seep's runtime %s is not beside seep "
					 "in %s, nor where it is installed",
					 runtimes[launch->libc], folder),
			    "install seep again");
}

static struct error *find_runtime(const struct launch *launch, char *path)
{
	char own[PATH_MAX];
	ssize_t length = readlink("/proc/self/exe", own, sizeof(own) - 1);
	own[length > 0 ? length : 0] = '\0';
	const char *folder = dirname(own);
	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		char candidate[2 * PATH_MAX];
		snprintf(candidate, sizeof(candidate), "%s/%s/%s", folder, places[i],
			 runtimes[launch->libc]);
		if (realpath(candidate, path))
			return NULL;
	}
	return has_no_runtime(launch, folder);
}

/* --- the environment ---------------------------------------------------------------- */

static char *setting(const char *name, const char *value, const char *rest)
{
	char *text = NULL;
	bool has_rest = rest && *rest;
	if (asprintf(&text, "%s=%s%s%s", name, value, has_rest ? ":" : "",
		     has_rest ? rest : "") < 0)
		return NULL;
	return text;
}

static bool is_named(const char *variable, const char *name)
{
	size_t length = strlen(name);
	return !strncmp(variable, name, length) && variable[length] == '=';
}

/* Seep's own, with two changed; only the first two entries are owned. */
static char **environment_of(const char *runtime, const char *session_name)
{
	size_t nr = 0, filled = 0;
	while (environ[nr])
		nr++;
	char **all = calloc(nr + 3, sizeof(*all));
	if (!all)
		return NULL;
	all[filled++] = setting("LD_PRELOAD", runtime, getenv("LD_PRELOAD"));
	all[filled++] = setting(SESSION_VARIABLE, session_name, NULL);
	for (size_t i = 0; i < nr; i++)
		if (!is_named(environ[i], "LD_PRELOAD") &&
		    !is_named(environ[i], SESSION_VARIABLE))
			all[filled++] = environ[i];
	return all;
}

static struct error *make_environment(struct launch *launch, const char *session_name)
{
	char runtime[PATH_MAX];
	struct error *error = find_runtime(launch, runtime);
	if (error)
		return error;
	if (strpbrk(runtime, " :"))
		return error_remedy(error_create(ERROR_SYSTEM,
						 "the loader takes no library from %s, "
						 "whose path has a space or a colon",
						 runtime),
				    "install seep elsewhere");
	launch->environment = environment_of(runtime, session_name);
	if (!launch->environment || !launch->environment[0] || !launch->environment[1])
		return error_no_memory();
	return NULL;
}

/* --- starting ----------------------------------------------------------------------- */

/* The child. What is no program of the kernel's is the shell's, as execvp(3) has it. */
static void execute(const struct launch *launch, char *const *command)
{
	size_t nr = 0;
	while (command[nr])
		nr++;
	execve(launch->path, command, launch->environment);
	char **words = errno == ENOEXEC ? calloc(nr + 2, sizeof(*words)) : NULL;
	if (!words)
		return;
	static char shell[] = "/bin/sh";
	words[0] = shell;
	words[1] = launch->path;
	for (size_t i = 1; i < nr; i++)
		words[i + 1] = command[i];
	execve(shell, words, launch->environment);
}

static void run_child(const struct launch *launch, char *const *command, int go,
		      int complaint)
{
	char byte;
	if (read(go, &byte, 1) != 1)
		_exit(127);
	execute(launch, command);
	int cause = errno;
	ssize_t ignored = write(complaint, &cause, sizeof(cause));
	(void)ignored;
	_exit(127);
}

static struct error *cannot_start(struct launch *launch, const char *name, int cause)
{
	launch->status = cause == ENOENT ? 127 : 126;
	return error_create(ERROR_USAGE, "cannot start %s: %s", name, strerror(cause));
}

static struct error *start(struct launch *launch, char *const *command)
{
	int go[2] = { -1, -1 }, tell[2] = { -1, -1 };
	if (pipe2(go, O_CLOEXEC) == 0 && pipe2(tell, O_CLOEXEC) == 0)
		launch->pid = fork();
	else
		launch->pid = -1;
	int cause = errno;
	if (launch->pid == 0) {
		close(go[1]);
		run_child(launch, command, go[0], tell[1]);
	}
	if (go[0] >= 0)
		close(go[0]);
	if (tell[1] >= 0)
		close(tell[1]);
	launch->go = go[1];
	launch->complaint = tell[0];
	return launch->pid > 0 ? NULL : cannot_start(launch, command[0], cause);
}

struct error *launch_prepare(struct launch *launch, char *const *command,
			     const char *session_name)
{
	*launch = (struct launch){ .go = -1, .complaint = -1 };
	struct error *error = image_find(command[0], &launch->path, &launch->status);
	if (!error)
		error = image_check(launch->path, command, &launch->libc);
	if (!error)
		error = make_environment(launch, session_name);
	if (!error)
		error = start(launch, command);
	return error;
}

struct error *launch_go(struct launch *launch, const char *name,
			const struct await *await)
{
	int cause = 0;
	ssize_t got = write(launch->go, "g", 1);
	close(launch->go);
	launch->go = -1;
	if (got == 1 && await) {
		fcntl(launch->complaint, F_SETFL, O_NONBLOCK);
		await->until_told(await->context, launch->complaint);
	}
	if (got == 1)
		got = read(launch->complaint, &cause, sizeof(cause));
	if (got != sizeof(cause))
		return NULL;
	waitpid(launch->pid, NULL, 0);
	launch->pid = 0;
	return cannot_start(launch, name, cause);
}

void launch_deinit(struct launch *launch)
{
	if (launch->go >= 0)
		close(launch->go);
	if (launch->complaint >= 0)
		close(launch->complaint);
	if (launch->go >= 0 && launch->pid > 0)
		waitpid(launch->pid, NULL, 0);
	if (launch->environment) {
		free(launch->environment[0]);
		free(launch->environment[1]);
	}
	free(launch->environment);
	free(launch->path);
	*launch = (struct launch){ .go = -1, .complaint = -1 };
}
