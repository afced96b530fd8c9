/*
 * doctor_machine: what the machine allows, whatever the process.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include "analyse/doctor_priv.h"
#include "base/cleanup.h"
#include "target/pages.h"

static void ask_kernel(const struct doctor_scene *scene, struct doctor_check *check)
{
	(void)scene;
	struct utsname name;
	if (uname(&name) < 0) {
		doctor_answer(check, DOCTOR_UNKNOWN, "uname: %s", strerror(errno));
		return;
	}
	bool is_known = !strcmp(name.machine, "x86_64");
	doctor_answer(check, is_known ? DOCTOR_OK : DOCTOR_REFUSED, "%s %s on %s",
		      name.sysname, name.release, name.machine);
	if (!is_known)
		doctor_remedy(check, "this version of seep runs on x86_64 alone");
}

/* What each value of kernel.yama.ptrace_scope means, to those with CAP_SYS_PTRACE too. */
static const struct yama_meaning {
	const char *meaning;
	enum doctor_state without, with; /* CAP_SYS_PTRACE */
	const char *remedy;
} yama_meanings[] = {
	{ "any process of the same user may be inspected", DOCTOR_OK, DOCTOR_OK, NULL },
	{ "without CAP_SYS_PTRACE only commands that seep starts may be inspected",
	  DOCTOR_LIMITED, DOCTOR_OK,
	  "sudo sysctl kernel.yama.ptrace_scope=0, or run seep as root" },
	{ "only those with CAP_SYS_PTRACE may inspect", DOCTOR_REFUSED, DOCTOR_OK,
	  "run seep as root" },
	{ "nobody may inspect any process, root included", DOCTOR_REFUSED, DOCTOR_REFUSED,
	  "start the machine with kernel.yama.ptrace_scope below 3 (look in "
	  "/etc/sysctl.d); it cannot be lowered while it runs" },
};

static void ask_yama(const struct doctor_scene *scene, struct doctor_check *check)
{
	if (scene->yama_scope < 0 ||
	    scene->yama_scope >= (int)ARRAY_SIZE(yama_meanings)) {
		doctor_answer(
			check, DOCTOR_UNKNOWN,
			"kernel.yama.ptrace_scope is %d, whose meaning is not known",
			scene->yama_scope);
		return;
	}
	if (access("/proc/sys/kernel/yama/ptrace_scope", F_OK) < 0) {
		doctor_answer(check, DOCTOR_OK,
			      "not in this kernel: no limit of its own");
		return;
	}
	const struct yama_meaning *meaning = &yama_meanings[scene->yama_scope];
	enum doctor_state state = scene->may_trace_all ? meaning->with : meaning->without;
	if (scene->pid && state == DOCTOR_LIMITED)
		state = DOCTOR_REFUSED;
	doctor_answer(check, state, "kernel.yama.ptrace_scope is %d: %s",
		      scene->yama_scope, meaning->meaning);
	if (state != DOCTOR_OK)
		doctor_remedy(check, "%s", meaning->remedy);
}

static void ask_capability(const struct doctor_scene *scene, struct doctor_check *check)
{
	if (scene->may_trace_all) {
		doctor_answer(check, DOCTOR_OK,
			      "seep has CAP_SYS_PTRACE: processes of every user");
		return;
	}
	doctor_answer(check, DOCTOR_LIMITED,
		      "seep has no CAP_SYS_PTRACE: only processes of uid %u", geteuid());
	doctor_remedy(check, "run seep as root, or sudo setcap cap_sys_ptrace+ep %s",
		      scene->own_path);
}

/* The inode numbers of the first namespaces, fixed in the kernel's include/linux/proc_ns.h. */
#define INITIAL_PID_NAMESPACE  0xEFFFFFFCu
#define INITIAL_USER_NAMESPACE 0xEFFFFFFDu

static bool is_in_namespace(const char *path, ino_t inode)
{
	struct stat namespace;
	return stat(path, &namespace) < 0 || namespace.st_ino == inode;
}

static void ask_confinement(const struct doctor_scene *scene, struct doctor_check *check)
{
	(void)scene;
	struct process_status own = { 0 };
	error_destroy(process_status(getpid(), 0, &own));
	if (!is_in_namespace("/proc/self/ns/pid", INITIAL_PID_NAMESPACE) ||
	    !is_in_namespace("/proc/self/ns/user", INITIAL_USER_NAMESPACE)) {
		doctor_answer(
			check, DOCTOR_LIMITED,
			"seep runs in a container%s: only its processes can be seen",
			own.seccomp ? " and under a seccomp filter" : "");
		doctor_remedy(check, "run seep on the host, or start the container with "
				     "--pid=host --cap-add=SYS_PTRACE");
	} else if (own.seccomp) {
		doctor_answer(check, DOCTOR_OK,
			      "seep runs under a seccomp filter, but in no container");
	} else {
		doctor_answer(check, DOCTOR_OK, "none: no container, no seccomp filter");
	}
}

static void ask_page_map(const struct doctor_scene *scene, struct doctor_check *check)
{
	(void)scene;
	if (pages_can_scan()) {
		doctor_answer(
			check, DOCTOR_OK,
			"PAGEMAP_SCAN finds the pages in use without touching others");
		return;
	}
	doctor_answer(
		check, DOCTOR_OK,
		"this kernel has no PAGEMAP_SCAN (Linux 6.7): /proc/PID/pagemap is read "
		"instead, which takes a little longer");
}

static void ask_map_files(const struct doctor_scene *scene, struct doctor_check *check)
{
	(void)scene;
	CLEANUP_CLOSEDIR DIR *folder = opendir("/proc/self/map_files");
	int failure = folder ? ENOENT : errno;
	struct dirent *entry;
	while (folder && (entry = readdir(folder))) {
		if (entry->d_name[0] == '.')
			continue;
		CLEANUP_CLOSE int fd =
			openat(dirfd(folder), entry->d_name, O_RDONLY | O_CLOEXEC);
		failure = fd < 0 ? errno : 0;
		break;
	}
	if (!failure) {
		doctor_answer(check, DOCTOR_OK,
			      "deleted and replaced program files can be read");
		return;
	}
	doctor_answer(
		check, DOCTOR_LIMITED,
		"program files that were deleted or replaced since they were started "
		"cannot be read (/proc/PID/map_files: %s)",
		strerror(failure));
	doctor_remedy(check,
		      "run seep as root, with CAP_CHECKPOINT_RESTORE or CAP_SYS_ADMIN");
}

/* --- a trial ------------------------------------------------------------------------ */

/*
 * A child for a trial. Made with a bare clone() whose exit sends no signal, so that the
 * program that seep is a library of notices nothing. It dies with us.
 */
static pid_t start_trial_child(void)
{
	pid_t parent = getpid();
	pid_t child = (pid_t)syscall(SYS_clone, 0ul, NULL, NULL, NULL, 0ul);
	if (child)
		return child;
	syscall(SYS_prctl, PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	while ((pid_t)syscall(SYS_getppid) == parent)
		syscall(SYS_pause);
	syscall(SYS_exit_group, 0);
	__builtin_unreachable();
}

static void end_trial_child(pid_t child)
{
	kill(child, SIGKILL);
	while (waitpid(child, NULL, __WALL) < 0 && errno == EINTR)
		;
}

/* 0 or an errno; *step names what failed. */
static int try_inspecting(pid_t child, const char **step)
{
	static const uint64_t probe = 0x5ee95ee95ee95ee9;
	uint64_t copy = 0;
	struct iovec local = { &copy, sizeof(copy) };
	struct iovec remote = { (void *)(uintptr_t)&probe, sizeof(probe) };
	*step = "process_vm_readv";
	if (process_vm_readv(child, &local, 1, &remote, 1, 0) != (ssize_t)sizeof(copy))
		return errno;
	*step = "ptrace";
	return ptrace(PTRACE_SEIZE, child, NULL, NULL) < 0 ? errno : 0;
}

static void ask_trial(const struct doctor_scene *scene, struct doctor_check *check)
{
	(void)scene;
	pid_t child = start_trial_child();
	if (child < 0) {
		doctor_answer(check, DOCTOR_UNKNOWN, "cannot start a child to try on: %s",
			      strerror(errno));
		return;
	}
	const char *step;
	int failure = try_inspecting(child, &step);
	end_trial_child(child);
	if (!failure) {
		doctor_answer(check, DOCTOR_OK,
			      "ptrace and process_vm_readv work on a child of seep");
		return;
	}
	doctor_answer(check, DOCTOR_REFUSED,
		      "%s does not work even on a child of seep: %s", step,
		      strerror(failure));
	doctor_remedy(
		check,
		failure == ENOSYS || failure == EPERM
			? "run seep outside of this container or sandbox, or let its "
			  "seccomp filter pass ptrace and process_vm_readv"
			: "run seep as root");
}

const struct doctor_question doctor_machine_questions[] = {
	{ .subject = "kernel", .ask = ask_kernel },
	{ .subject = "yama", .ask = ask_yama },
	{ .subject = "capability", .ask = ask_capability },
	{ .subject = "confinement", .ask = ask_confinement },
	{ .subject = "page map", .ask = ask_page_map },
	{ .subject = "map_files", .ask = ask_map_files },
	{ .subject = "trial", .ask = ask_trial },
};
const size_t nr_doctor_machine_questions = ARRAY_SIZE(doctor_machine_questions);
