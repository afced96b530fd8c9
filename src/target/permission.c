/* permission: see permission.h. */
#include "target/permission.h"

#include <linux/capability.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/vec.h"

/* Of /proc/self/ns/user, in the kernel's first namespace (PROC_USER_INIT_INO of Linux). */
#define INITIAL_USER_NAMESPACE 0xeffffffdu

struct scene {
	pid_t pid;
	const struct process_status *status, *own;
	const char *command;
};

static struct error *of_uids(const struct scene *scene)
{
	return error_create(
		ERROR_REFUSED,
		"no permission to look into %s (%d): it belongs to uid %u, and seep runs "
		"as uid %u without CAP_SYS_PTRACE",
		scene->status->comm, (int)scene->pid, scene->status->uid, getuid());
}

/* --- causes ------------------------------------------------------------------------- */

/* Its root has rights over what was started in it alone, and sudo gives no more. */
static struct error *in_namespace(const struct scene *scene)
{
	struct stat stat_now;
	bool is_initial = stat("/proc/self/ns/user", &stat_now) != 0 ||
			  stat_now.st_ino == INITIAL_USER_NAMESPACE;
	if (is_initial || geteuid() != 0)
		return NULL;
	return error_remedy(
		error_create(ERROR_REFUSED,
			     "no permission to look into %s (%d): seep runs in a user "
			     "namespace (a container), whose root has no rights over a "
			     "process that was started outside of it",
			     scene->status->comm, (int)scene->pid),
		"outside of the container, where its pid may be another: sudo seep %s PID",
		scene->command);
}

static struct error *as_powerless_root(const struct scene *scene)
{
	if (geteuid() != 0 || scene->own->capabilities >> CAP_SYS_PTRACE & 1)
		return NULL;
	return error_remedy(
		error_create(ERROR_REFUSED,
			     "no permission to look into %s (%d): seep runs as root, but "
			     "without CAP_SYS_PTRACE",
			     scene->status->comm, (int)scene->pid),
		"give the container that capability (--cap-add SYS_PTRACE), or run seep %s "
		"outside of it",
		scene->command);
}

static struct error *of_another_user(const struct scene *scene)
{
	if (scene->status->uid == getuid())
		return NULL;
	return error_remedy(of_uids(scene), "sudo seep %s %d", scene->command,
			    (int)scene->pid);
}

static int yama_scope(void)
{
	CLEANUP_FCLOSE FILE *file = fopen("/proc/sys/kernel/yama/ptrace_scope", "re");
	int scope = 0;
	if (!file || fscanf(file, "%d", &scope) != 1)
		return 0;
	return scope;
}

static struct error *by_yama(const struct scene *scene)
{
	int scope = yama_scope();
	if (scope < 1)
		return NULL;
	struct error *error = error_create(
		ERROR_REFUSED,
		"no permission to look into %s (%d): Yama's ptrace_scope is %d",
		scene->status->comm, (int)scene->pid, scope);
	if (scope == 3)
		return error_remedy(error, "it can only be lifted by a reboot with "
					   "kernel.yama.ptrace_scope below 3");
	return error_remedy(error,
			    "sudo seep %s %d, or sudo sysctl kernel.yama.ptrace_scope=0",
			    scene->command, (int)scene->pid);
}

static struct error *not_dumpable(const struct scene *scene)
{
	return error_remedy(
		error_create(
			ERROR_REFUSED,
			"no permission to look into %s (%d): the process is not dumpable "
			"(a setuid program, or one with more rights than seep)",
			scene->status->comm, (int)scene->pid),
		"sudo seep %s %d", scene->command, (int)scene->pid);
}

struct error *permission_missing(pid_t pid, const struct process_status *status,
				 const char *command)
{
	static struct error *(*const causes[])(const struct scene *) = {
		in_namespace,
		as_powerless_root,
		of_another_user,
		by_yama,
	};
	struct process_status own = { 0 };
	struct error *error = process_status(getpid(), 0, &own);
	if (error)
		return error;
	const struct scene scene = { pid, status, &own, command };
	for (size_t i = 0; !error && i < ARRAY_SIZE(causes); i++)
		error = causes[i](&scene);
	return error ? error : not_dumpable(&scene);
}
