/* process: see process.h. */
#include "target/process.h"

#include <dirent.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "target/permission.h"

static struct error *no_such_process(pid_t pid)
{
	return error_remedy(error_create(ERROR_REFUSED, "there is no process %d",
					 (int)pid),
			    "list the running ones with: ps -e");
}

struct error *process_file(pid_t pid, const char *name, struct str *text)
{
	char path[PATH_MAX];
	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
	CLEANUP_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT)
		return no_such_process(pid);
	for (;;) {
		char buffer[16384];
		ssize_t got = fd < 0 ? -1 : read(fd, buffer, sizeof(buffer));
		if (got < 0 && errno == ESRCH)
			return no_such_process(pid);
		if (got < 0)
			return error_create(ERROR_SYSTEM, "cannot read %s: %s", path,
					    strerror(errno));
		if (got == 0)
			break;
		str_append(text, buffer, (size_t)got);
	}
	return text->failed ? error_no_memory() : NULL;
}

/* The text after "Name:\t" of a status line, or NULL. */
static const char *field(const char *status, const char *name)
{
	const char *at = status;
	size_t length = strlen(name);
	while (at) {
		if (!strncmp(at, name, length) && at[length] == ':') {
			at += length + 1;
			return at + strspn(at, "\t ");
		}
		at = strchr(at, '\n');
		at = at ? at + 1 : NULL;
	}
	return NULL;
}

static uint64_t field_number(const char *status, const char *name, int base)
{
	const char *text = field(status, name);
	return text ? strtoull(text, NULL, base) : 0;
}

static struct error *read_status(pid_t pid, pid_t tid, struct process_status *status)
{
	struct str text = { 0 };
	char name[64];
	snprintf(name, sizeof(name), tid ? "task/%d/status" : "status", (int)tid);
	struct error *error = process_file(pid, name, &text);
	if (error) {
		str_deinit(&text);
		return error;
	}
	const char *all = str_text(&text);
	const char *comm = field(all, "Name");
	const char *state = field(all, "State");
	*status = (struct process_status){
		.via = tid ? tid : pid,
		.state = state ? *state : '?',
		.group = (pid_t)field_number(all, "Tgid", 10),
		.tracer = (pid_t)field_number(all, "TracerPid", 10),
		.uid = (uid_t)field_number(all, "Uid", 10),
		.gid = (gid_t)field_number(all, "Gid", 10),
		.seccomp = (unsigned)field_number(all, "Seccomp", 10),
		.has_memory = field(all, "VmSize") != NULL,
		.kernel_thread = field_number(all, "Kthread", 10) == 1,
		.pending = field_number(all, "SigPnd", 16) |
			   field_number(all, "ShdPnd", 16),
		.caught = field_number(all, "SigCgt", 16),
		.blocked = field_number(all, "SigBlk", 16),
		.resident_bytes = field_number(all, "VmRSS", 10) * 1024,
		.anonymous_bytes = field_number(all, "RssAnon", 10) * 1024,
		.private_bytes = (field_number(all, "VmData", 10) +
				  field_number(all, "VmStk", 10)) *
				 1024,
		.hugetlb_bytes = field_number(all, "HugetlbPages", 10) * 1024,
		.capabilities = field_number(all, "CapEff", 16),
	};
	size_t length = comm ? strcspn(comm, "\n") : 0;
	snprintf(status->comm, sizeof(status->comm), "%.*s", (int)length,
		 comm ? comm : "");
	str_deinit(&text);
	return NULL;
}

static bool has_ended(const struct process_status *status)
{
	return status->state == 'Z' || status->state == 'X';
}

/* The status of a thread that still runs; unchanged when there is none. */
static void look_past_main_thread(pid_t pid, struct process_status *status)
{
	char path[64];
	snprintf(path, sizeof(path), "/proc/%d/task", (int)pid);
	CLEANUP_CLOSEDIR DIR *dir = opendir(path);
	struct dirent *entry;
	while (dir && (entry = readdir(dir))) {
		struct process_status other;
		pid_t tid = atoi(entry->d_name);
		struct error *error = tid > 0 ? read_status(pid, tid, &other) : NULL;
		bool runs = tid > 0 && !error && !has_ended(&other) && other.has_memory;
		error_destroy(error);
		if (!runs)
			continue;
		memcpy(other.comm, status->comm, sizeof(other.comm));
		*status = other;
		return;
	}
}

struct error *process_status(pid_t pid, pid_t tid, struct process_status *status)
{
	struct error *error = read_status(pid, tid, status);
	if (!error && !tid && status->group == pid && has_ended(status))
		look_past_main_thread(pid, status);
	return error;
}

bool process_has_ended(pid_t pid)
{
	struct process_status status;
	struct error *error = process_status(pid, 0, &status);
	bool is_there = !error && !has_ended(&status) && status.has_memory;
	error_destroy(error);
	return !is_there;
}

static struct error *check_state(pid_t pid, const struct process_status *status,
				 const char *command)
{
	if (status->group != pid)
		return error_remedy(
			error_create(ERROR_REFUSED,
				     "%d is a thread of process %d, not a process",
				     (int)pid, (int)status->group),
			"seep %s %d", command, (int)status->group);
	if (status->kernel_thread)
		return error_remedy(
			error_create(ERROR_REFUSED,
				     "%s (%d) is a kernel thread, not a program",
				     status->comm, (int)pid),
			"name a process that runs a program");
	if (has_ended(status))
		return error_remedy(
			error_create(
				ERROR_REFUSED,
				"%s (%d) has ended: a zombie has no memory to look at",
				status->comm, (int)pid),
			"look earlier, or catch the program's end with: seep leaks "
			"--at-exit -- CMD");
	if (!status->has_memory)
		return error_remedy(
			error_create(ERROR_REFUSED,
				     "%s (%d) has no memory of its own: it is a kernel "
				     "thread, or about to end",
				     status->comm, (int)pid),
			"name a process that runs a program");
	return NULL;
}

static struct error *check_tracer(pid_t pid, const struct process_status *status,
				  const char *command)
{
	(void)command;
	if (!status->tracer)
		return NULL;
	struct process_status tracer = { 0 };
	struct error *error = process_status(status->tracer, 0, &tracer);
	error_destroy(error);
	return error_remedy(
		error_create(ERROR_REFUSED, "%s (%d) is being traced by %s (%d)",
			     status->comm, (int)pid,
			     error ? "another process" : tracer.comm,
			     (int)status->tracer),
		"end that debugger or tracer first; a process can have only one");
}

/* Opening mem needs the very right that ptrace and process_vm_readv need. */
static struct error *check_permission(pid_t pid, const struct process_status *status,
				      const char *command)
{
	char path[64];
	snprintf(path, sizeof(path), "/proc/%d/mem", (int)status->via);
	CLEANUP_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0)
		return NULL;
	if (errno == ENOENT || errno == ESRCH)
		return no_such_process(pid);
	return permission_missing(pid, status, command);
}

static struct error *check_architecture(pid_t pid, const struct process_status *status,
					const char *command)
{
	char path[64];
	snprintf(path, sizeof(path), "/proc/%d/exe", (int)status->via);
	CLEANUP_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);
	Elf64_Ehdr header = { 0 };
	if (fd < 0 || read(fd, &header, sizeof(header)) < (ssize_t)sizeof(header) ||
	    memcmp(header.e_ident, ELFMAG, SELFMAG) != 0)
		return error_remedy(
			error_create(ERROR_REFUSED,
				     "%s (%d): its program file cannot be read as ELF",
				     status->comm, (int)pid),
			"sudo seep %s %d", command, (int)pid);
	if (header.e_ident[EI_CLASS] != ELFCLASS64)
		return error_remedy(
			error_create(ERROR_REFUSED,
				     "%s (%d) is a 32-bit program; this seep reads "
				     "64-bit ones",
				     status->comm, (int)pid),
			"build the program for x86-64 and look at that");
	if (header.e_machine != EM_X86_64)
		return error_remedy(
			error_create(ERROR_REFUSED,
				     "%s (%d) is a program for another processor "
				     "(ELF machine %u); this seep reads x86-64 ones",
				     status->comm, (int)pid, header.e_machine),
			"build the program for x86-64 and look at that");
	return NULL;
}

struct error *process_check(pid_t pid, const struct process_status *status,
			    const char *command)
{
	static struct error *(*const checks[])(pid_t, const struct process_status *,
					       const char *) = {
		check_state,
		check_tracer,
		check_permission,
		check_architecture,
	};
	for (size_t i = 0; i < sizeof(checks) / sizeof(checks[0]); i++) {
		struct error *error = checks[i](pid, status, command ? command : "leaks");
		if (error)
			return error;
	}
	return NULL;
}
