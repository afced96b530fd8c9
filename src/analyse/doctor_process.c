/*
 * doctor_process: what one process allows. Its refusals are those of target_live_open(),
 * asked one by one, so that all that stands in the way is told at once.
 */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "analyse/doctor_priv.h"
#include "base/cleanup.h"
#include "heap/heap.h"
#include "sym/symbols.h"
#include "target/copy_rules.h"

#define DEFAULT_PAUSE_MS  200
#define READ_BYTES_PER_MS 2500000  /* measured: 1 GB takes some 400 ms */
#define COPY_BYTES_PER_MS 50000000 /* measured: 1 GB takes some 15 to 20 ms */

/* A path below /proc/PID. */
struct process_path {
	char text[64];
};

static struct process_path path_of(const struct doctor_scene *scene, const char *name)
{
	struct process_path path;
	snprintf(path.text, sizeof(path.text), "/proc/%d/%s", (int)scene->status.via,
		 name);
	return path;
}

static void ask_program(const struct doctor_scene *scene, struct doctor_check *check)
{
	const struct process_status *status = &scene->status;
	if (status->group != scene->pid) {
		doctor_answer(check, DOCTOR_REFUSED,
			      "a thread of process %d, not a process",
			      (int)status->group);
		doctor_remedy(check, "seep doctor %d", (int)status->group);
	} else if (status->state == 'Z' || status->state == 'X') {
		doctor_answer(check, DOCTOR_REFUSED,
			      "it has ended (a zombie): there is no memory to look at");
		doctor_remedy(check,
			      "look earlier, or at its end with: seep leaks --at-exit "
			      "-- COMMAND");
	} else if (status->kernel_thread || !status->has_memory) {
		doctor_answer(check, DOCTOR_REFUSED, "a kernel thread, not a program");
		doctor_remedy(check, "name a process that runs a program");
	} else {
		doctor_answer(check, DOCTOR_OK, "a program with memory of its own");
	}
}

static void ask_architecture(const struct doctor_scene *scene, struct doctor_check *check)
{
	CLEANUP_CLOSE int fd = open(path_of(scene, "exe").text, O_RDONLY | O_CLOEXEC);
	Elf64_Ehdr header = { 0 };
	if (fd < 0) {
		doctor_answer(check, DOCTOR_UNKNOWN,
			      "its program file cannot be opened: %s", strerror(errno));
		return;
	}
	if (read(fd, &header, sizeof(header)) != (ssize_t)sizeof(header) ||
	    memcmp(header.e_ident, ELFMAG, SELFMAG) != 0)
		doctor_answer(check, DOCTOR_REFUSED, "its program file is no ELF file");
	else if (header.e_ident[EI_CLASS] != ELFCLASS64)
		doctor_answer(check, DOCTOR_REFUSED, "a 32-bit program");
	else if (header.e_machine != EM_X86_64)
		doctor_answer(check, DOCTOR_REFUSED,
			      "a program for another processor (ELF machine %u)",
			      header.e_machine);
	else
		doctor_answer(check, DOCTOR_OK, "x86-64");
	if (check->state == DOCTOR_REFUSED)
		doctor_remedy(check,
			      "this seep reads 64-bit programs for x86-64: build the "
			      "program for that");
}

static void ask_owner(const struct doctor_scene *scene, struct doctor_check *check)
{
	uid_t uid = scene->status.uid;
	if (uid == geteuid()) {
		doctor_answer(check, DOCTOR_OK, "uid %u, as seep", uid);
	} else if (scene->may_trace_all) {
		doctor_answer(check, DOCTOR_OK,
			      "uid %u; seep runs as uid %u with "
			      "CAP_SYS_PTRACE",
			      uid, geteuid());
	} else {
		doctor_answer(check, DOCTOR_REFUSED,
			      "uid %u; seep runs as uid %u without CAP_SYS_PTRACE", uid,
			      geteuid());
		doctor_remedy(check, "sudo seep leaks %d", (int)scene->pid);
	}
}

/* The kernel gives /proc/PID of what must not be dumped to root, whoever runs it. */
static bool is_dumpable(const struct doctor_scene *scene)
{
	struct stat folder;
	return stat(path_of(scene, "").text, &folder) < 0 || folder.st_uid ||
	       !scene->status.uid;
}

/* Opening mem needs the very right that reading and stopping need. */
static void ask_permission(const struct doctor_scene *scene, struct doctor_check *check)
{
	CLEANUP_CLOSE int fd = open(path_of(scene, "mem").text, O_RDONLY | O_CLOEXEC);
	if (fd >= 0) {
		doctor_answer(check, DOCTOR_OK, "its memory may be read%s",
			      is_dumpable(scene)
				      ? ""
				      : ", though it is setuid or not dumpable");
		return;
	}
	int failure = errno;
	doctor_answer(
		check, DOCTOR_REFUSED, "its memory may not be read: %s%s",
		strerror(failure),
		is_dumpable(scene)
			? ""
			: " (a setuid program, or one that made itself not dumpable)");
	if (!scene->may_trace_all)
		doctor_remedy(check, "sudo seep leaks %d", (int)scene->pid);
	else
		doctor_remedy(check,
			      "run seep outside of this container, where no security "
			      "module or user namespace stands between");
}

static void ask_tracer(const struct doctor_scene *scene, struct doctor_check *check)
{
	if (!scene->status.tracer) {
		doctor_answer(check, DOCTOR_OK, "no debugger holds it");
		return;
	}
	struct process_status tracer = { 0 };
	struct error *error = process_status(scene->status.tracer, 0, &tracer);
	error_destroy(error);
	doctor_answer(check, DOCTOR_REFUSED,
		      "%s (%d) is tracing it, and a process can have only one tracer",
		      error ? "a process" : tracer.comm, (int)scene->status.tracer);
	doctor_remedy(check, "end or detach %s first",
		      error ? "that tracer" : tracer.comm);
}

static void ask_seccomp(const struct doctor_scene *scene, struct doctor_check *check)
{
	static const char *const modes[] = { "none", "strict mode", "a filter" };
	unsigned mode = scene->status.seccomp;
	if (mode >= ARRAY_SIZE(modes)) {
		doctor_answer(check, DOCTOR_UNKNOWN, "mode %u is not known", mode);
		return;
	}
	doctor_answer(check, DOCTOR_OK, "%s%s", modes[mode],
		      mode ? "; no matter to stopping and reading; see \"copy\" below"
			   : "");
}

static bool shares_namespace(const struct doctor_scene *scene, const char *name,
			     bool *unknown)
{
	struct process_path other = path_of(scene, name);
	struct stat own_stat, other_stat;
	char own[64];
	snprintf(own, sizeof(own), "/proc/self/%s", name);
	*unknown = stat(own, &own_stat) < 0 || stat(other.text, &other_stat) < 0;
	return !*unknown && own_stat.st_ino == other_stat.st_ino;
}

static void ask_container(const struct doctor_scene *scene, struct doctor_check *check)
{
	bool no_pid, no_mount;
	bool same_pid = shares_namespace(scene, "ns/pid", &no_pid);
	bool same_mount = shares_namespace(scene, "ns/mnt", &no_mount);
	if (no_pid || no_mount)
		doctor_answer(check, DOCTOR_UNKNOWN,
			      "its namespaces cannot be read without permission");
	else if (same_pid && same_mount)
		doctor_answer(check, DOCTOR_OK, "the same as seep's");
	else
		doctor_answer(
			check, DOCTOR_OK,
			"another than seep's (%s%s%s namespace); its files are read "
			"through /proc/%d/root",
			same_pid ? "" : "pid", same_pid || same_mount ? "" : " and ",
			same_mount ? "" : "mount", (int)scene->pid);
}

static void ask_state(const struct doctor_scene *scene, struct doctor_check *check)
{
	static const struct state_meaning {
		char letter;
		enum doctor_state state;
		const char *meaning, *remedy;
	} meanings[] = {
		{ 'R', DOCTOR_OK, "running", NULL },
		{ 'S', DOCTOR_OK, "waiting", NULL },
		{ 'I', DOCTOR_OK, "idle", NULL },
		{ 'T', DOCTOR_OK, "stopped by a signal, and left so", NULL },
		{ 't', DOCTOR_LIMITED, "stopped by its tracer", NULL },
		{ 'D', DOCTOR_LIMITED,
		  "in a wait that nothing interrupts (disk or network)",
		  "wait until it is over, or allow a longer pause: --max-pause 10s" },
	};
	for (size_t i = 0; i < ARRAY_SIZE(meanings); i++) {
		if (meanings[i].letter != scene->status.state)
			continue;
		doctor_answer(check, meanings[i].state, "%s", meanings[i].meaning);
		if (meanings[i].remedy)
			doctor_remedy(check, "%s", meanings[i].remedy);
		return;
	}
	doctor_answer(check, DOCTOR_OK, "state %c", scene->status.state);
}

static void ask_threads(const struct doctor_scene *scene, struct doctor_check *check)
{
	struct stat tasks;
	if (stat(path_of(scene, "task").text, &tasks) < 0 || tasks.st_nlink < 3)
		doctor_answer(check, DOCTOR_UNKNOWN, "cannot be counted");
	else
		doctor_answer(check, DOCTOR_OK, "%lu", (unsigned long)tasks.st_nlink - 2);
}

static struct error *identify(pid_t pid, char **name)
{
	const struct target_live_options options = {
		.max_pause_ns = DEFAULT_PAUSE_MS * 1000000ull,
	};
	struct target *target = NULL;
	struct symbols *symbols = NULL;
	struct error *error = target_live_open(pid, &options, &target);
	if (!error)
		error = symbols_create(target, &symbols);
	if (!error)
		error = heap_identify(target, symbols, name);
	symbols_destroy(symbols);
	target_destroy(target);
	return error;
}

/* The only question that opens the target, which stops nothing. */
static void ask_allocator(const struct doctor_scene *scene, struct doctor_check *check)
{
	struct error *error = process_check(scene->pid, &scene->status, NULL);
	if (error) {
		doctor_answer(check, DOCTOR_UNKNOWN,
			      "cannot be told while something above refuses");
		error_destroy(error);
		return;
	}
	CLEANUP_FREE char *name = NULL;
	error = identify(scene->pid, &name);
	if (!error)
		doctor_answer(check, DOCTOR_OK, "%s", name);
	else
		doctor_answer_error(check, DOCTOR_REFUSED, error);
}

static void ask_copy(const struct doctor_scene *scene, struct doctor_check *check)
{
	struct error *error = copy_rules_check(scene->pid);
	if (error) {
		doctor_answer_error(check, DOCTOR_LIMITED, error);
		doctor_remedy(check, "without a copy it is stopped while it is read");
	} else if (scene->status.anonymous_bytes < COPY_PAYS_BYTES) {
		doctor_answer(check, DOCTOR_OK,
			      "possible, but not worth it: it has less than %" PRIu64
			      " MB of memory of its own",
			      (uint64_t)(COPY_PAYS_BYTES / 1000000));
	} else {
		doctor_answer(check, DOCTOR_OK,
			      "a frozen copy can be read while it runs on");
	}
}

/* Copying page tables, or reading all of it. */
static uint64_t foresee_pause_ms(const struct doctor_scene *scene)
{
	struct error *error = copy_rules_check(scene->pid);
	bool copied = !error && scene->status.anonymous_bytes >= COPY_PAYS_BYTES;
	error_destroy(error);
	uint64_t per_ms = copied ? COPY_BYTES_PER_MS : READ_BYTES_PER_MS;
	return scene->status.resident_bytes / per_ms + 1;
}

static void ask_pause(const struct doctor_scene *scene, struct doctor_check *check)
{
	uint64_t resident = scene->status.resident_bytes;
	uint64_t pause_ms = foresee_pause_ms(scene);
	bool fits = pause_ms <= DEFAULT_PAUSE_MS;
	doctor_answer(check, fits ? DOCTOR_OK : DOCTOR_LIMITED,
		      "it will be stopped for some %" PRIu64
		      " ms, by an estimate from its "
		      "%" PRIu64 " MB in memory; %d ms are allowed unless said",
		      pause_ms, resident / 1000000, DEFAULT_PAUSE_MS);
	if (!fits)
		doctor_remedy(check, "seep leaks --max-pause %" PRIu64 "ms %d",
			      2 * pause_ms, (int)scene->pid);
}

const struct doctor_question doctor_process_questions[] = {
	{ .subject = "program", .ask = ask_program, .decides = true },
	{ .subject = "architecture", .ask = ask_architecture },
	{ .subject = "owner", .ask = ask_owner },
	{ .subject = "permission", .ask = ask_permission },
	{ .subject = "tracer", .ask = ask_tracer },
	{ .subject = "seccomp", .ask = ask_seccomp },
	{ .subject = "container", .ask = ask_container },
	{ .subject = "state", .ask = ask_state },
	{ .subject = "threads", .ask = ask_threads },
	{ .subject = "allocator", .ask = ask_allocator },
	{ .subject = "copy", .ask = ask_copy },
	{ .subject = "pause", .ask = ask_pause },
};
const size_t nr_doctor_process_questions = ARRAY_SIZE(doctor_process_questions);
