/* process: see process.h. */
#include "cmd/process.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/str.h"
#include "base/vec.h"
#include "cmd/stored_core.h"
#include "cmd/suggest.h"
#include "report/layout.h"

#define MAX_LISTED        20
#define MAX_COMMAND_BYTES 100 /* of a command line in a list */

DEFINE_VEC(pid_vec, pid_t);
DEFINE_VEC(name_vec, char *);

/* --- one process -------------------------------------------------------------------- */

/* What a running program is known by. */
struct process_names {
	char comm[64];
	char program[PATH_MAX]; /* file name without folders; "" when it cannot be read */
};

static size_t read_small_file(const char *path, char *buffer, size_t size)
{
	CLEANUP_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t got = fd < 0 ? -1 : read(fd, buffer, size - 1);
	size_t length = got > 0 ? (size_t)got : 0;
	buffer[length] = '\0';
	return length;
}

/* /proc/PID/stat is "PID (comm) STATE …"; the comm may hold parentheses itself. */
static bool read_comm(pid_t pid, char *comm, size_t size)
{
	char path[64], text[512];
	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	read_small_file(path, text, sizeof(text));
	char *first = strchr(text, '('), *last = strrchr(text, ')');
	if (!first || !last || last < first || last[1] != ' ')
		return false;
	*last = '\0';
	snprintf(comm, size, "%s", first + 1);
	return last[2] != 'Z' && last[2] != 'X';
}

static void read_program(pid_t pid, char *program)
{
	static const char deleted[] = " (deleted)";
	const size_t suffix = sizeof(deleted) - 1;
	char path[64], link[PATH_MAX];
	snprintf(path, sizeof(path), "/proc/%d/exe", (int)pid);
	ssize_t got = readlink(path, link, sizeof(link) - 1);
	size_t length = got > 0 ? (size_t)got : 0;
	link[length] = '\0';
	if (length > suffix && !strcmp(link + length - suffix, deleted))
		link[length - suffix] = '\0';
	const char *slash = strrchr(link, '/');
	const char *name = slash ? slash + 1 : link;
	memcpy(program, name, strlen(name) + 1);
}

/* False for what has ended. */
static bool read_names(pid_t pid, struct process_names *names)
{
	if (!read_comm(pid, names->comm, sizeof(names->comm)))
		return false;
	read_program(pid, names->program);
	return true;
}

static bool is_named(const struct process_names *names, const char *name)
{
	return !strcmp(names->comm, name) || !strcmp(names->program, name);
}

/* "412  redis-server *:6379" */
static void put_command_line(struct str *out, pid_t pid)
{
	char path[64], text[MAX_COMMAND_BYTES + 1];
	snprintf(path, sizeof(path), "/proc/%d/cmdline", (int)pid);
	size_t length = read_small_file(path, text, sizeof(text));
	for (size_t i = 0; i + 1 < length; i++)
		if (!text[i])
			text[i] = ' ';
	str_printf(out, "%7d  ", (int)pid);
	layout_escape(out, text, 0);
	str_puts(out, length == MAX_COMMAND_BYTES ? "..." : "");
}

/* --- all processes ------------------------------------------------------------------ */

static bool is_number(const char *text)
{
	return *text && strspn(text, "0123456789") == strlen(text);
}

/* Calls `visit` for every process but seep; stops at an error. */
static struct error *for_each_process(
	struct error *(*visit)(pid_t pid, const struct process_names *names,
			       void *context),
	void *context)
{
	CLEANUP_CLOSEDIR DIR *folder = opendir("/proc");
	if (!folder)
		return error_create(ERROR_SYSTEM, "cannot read /proc: %s",
				    strerror(errno));
	struct dirent *entry;
	while ((entry = readdir(folder))) {
		pid_t pid = is_number(entry->d_name) ? (pid_t)atoi(entry->d_name) : 0;
		struct process_names names;
		if (pid <= 0 || pid == getpid() || !read_names(pid, &names))
			continue;
		struct error *error = visit(pid, &names, context);
		if (error)
			return error;
	}
	return NULL;
}

struct name_search {
	const char *name;
	struct pid_vec found;
};

static struct error *match_name(pid_t pid, const struct process_names *names,
				void *context)
{
	struct name_search *search = context;
	if (is_named(names, search->name) && !pid_vec_push(&search->found, pid))
		return error_no_memory();
	return NULL;
}

static struct error *collect_name(pid_t pid, const struct process_names *names,
				  void *context)
{
	(void)pid;
	char *name = strdup(names->program[0] ? names->program : names->comm);
	if (name && name_vec_push(context, name))
		return NULL;
	free(name);
	return error_no_memory();
}

static struct error *none_named(const char *name)
{
	struct name_vec names = { 0 };
	struct error *error = for_each_process(collect_name, &names);
	if (!error) {
		const char *nearest =
			suggest_nearest(name, (const char *const *)names.items, names.nr);
		error = error_create(ERROR_REFUSED, "no process is named \"%s\"", name);
		CLEANUP_FREE char *core = stored_core_newest(name);
		if (core)
			error = error_remedy(
				error,
				"the newest core of it that systemd-coredump "
				"has: %s",
				core);
		else
			error = nearest ? error_remedy(error, "the process named \"%s\"",
						       nearest)
					: error_remedy(
						  error,
						  "list the running ones with: ps -e");
	}
	for (size_t i = 0; i < names.nr; i++)
		free(names.items[i]);
	name_vec_deinit(&names);
	return error;
}

static struct error *several_named(const char *name, const struct pid_vec *pids)
{
	struct str list = { 0 };
	for (size_t i = 0; i < pids->nr && i < MAX_LISTED; i++) {
		str_puts(&list, "\n");
		put_command_line(&list, pids->items[i]);
	}
	if (pids->nr > MAX_LISTED)
		str_printf(&list, "\n(and %zu more)", pids->nr - MAX_LISTED);
	struct error *error =
		error_remedy(error_create(ERROR_USAGE, "%zu processes are named \"%s\"",
					  pids->nr, name),
			     "give the pid of one of them%s", str_text(&list));
	str_deinit(&list);
	return error;
}

static struct error *find_named(const char *name, pid_t *pid)
{
	struct name_search search = { .name = name };
	struct error *error = for_each_process(match_name, &search);
	if (!error && !search.found.nr)
		error = none_named(name);
	else if (!error && search.found.nr > 1)
		error = several_named(name, &search.found);
	else if (!error)
		*pid = search.found.items[0];
	pid_vec_deinit(&search.found);
	return error;
}

/* --- targets ------------------------------------------------------------------------ */

static struct error *parse_pid(const char *digits, pid_t *pid)
{
	errno = 0;
	unsigned long long number = strtoull(digits, NULL, 10);
	if (errno || number > INT_MAX || !number)
		return error_remedy(error_create(ERROR_REFUSED,
						 "no process has the id %s", digits),
				    "list the running ones with: ps -e");
	if ((pid_t)number == getpid())
		return error_create(ERROR_REFUSED, "seep does not look into itself");
	*pid = (pid_t)number;
	return NULL;
}

static bool is_file(const char *target)
{
	struct stat stat_now;
	return strchr(target, '/') ||
	       (!stat(target, &stat_now) && S_ISREG(stat_now.st_mode));
}

struct error *process_or_file(const char *target, pid_t *pid, const char **file)
{
	*pid = 0;
	*file = NULL;
	if (!*target)
		return error_create(ERROR_USAGE,
				    "the target is empty: give a pid or a name");
	if (is_number(target))
		return parse_pid(target, pid);
	if (!is_file(target))
		return find_named(target, pid);
	*file = target;
	return NULL;
}

struct error *process_namesake(struct error *error, const char *path)
{
	const char *slash = strrchr(path, '/');
	struct name_search search = { .name = slash ? slash + 1 : path };
	error_destroy(for_each_process(match_name, &search));
	if (search.found.nr)
		error = error_remedy(error,
				     "give the pid of the process of that name: %d",
				     (int)search.found.items[0]);
	pid_vec_deinit(&search.found);
	return error;
}

struct error *process_find(const char *target, pid_t *pid)
{
	const char *file = NULL;
	struct error *error = process_or_file(target, pid, &file);
	if (error || !file)
		return error;
	return process_namesake(
		error_remedy(error_create(ERROR_REFUSED,
					  "\"%s\" is a file, and a process is needed",
					  file),
			     "give the pid or the name of a running process"),
		file);
}

struct error *process_limit(const char *name, const struct operands *operands)
{
	if (operands->nr <= 1)
		return NULL;
	return error_create(ERROR_USAGE,
			    "seep %s looks at one process at a time, not also at \"%s\"",
			    name, operands->items[1]);
}

struct error *process_require(const char *name, const struct operands *operands)
{
	if (operands->nr)
		return process_limit(name, operands);
	return error_remedy(error_create(ERROR_USAGE,
					 "seep %s needs a process: a pid or a name",
					 name),
			    "seep %s --help", name);
}
