/* copy_rules: see copy_rules.h. */
#include "target/copy_rules.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <linux/capability.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/vec.h"
#include "target/headroom.h"
#include "target/process.h"

struct scene {
	pid_t pid;
	struct process_status status;
	struct headroom headroom;
};

static struct error *check_main_thread(const struct scene *scene)
{
	if (scene->status.via == scene->pid)
		return NULL;
	return error_create(ERROR_REFUSED,
			    "its main thread, which would make the copy, has ended");
}

static struct error *check_running(const struct scene *scene)
{
	if (scene->status.state != 'T')
		return NULL;
	return error_create(ERROR_REFUSED, "it is stopped already: nobody feels a pause");
}

static bool has_capability(unsigned number)
{
	struct process_status own;
	struct error *error = process_status(getpid(), 0, &own);
	error_destroy(error);
	return !error && (own.capabilities >> number & 1);
}

/* A filter may kill whoever makes a call that it does not know. */
static struct error *check_seccomp(const struct scene *scene)
{
	if (!scene->status.seccomp || has_capability(CAP_SYS_ADMIN))
		return NULL;
	return error_create(ERROR_REFUSED, "seccomp filters its system calls, and only "
					   "root (CAP_SYS_ADMIN) may suspend that");
}

/* When huge pages run out, the kernel takes a shared one from the copy. */
static struct error *check_hugetlb(const struct scene *scene)
{
	if (!scene->status.hugetlb_bytes)
		return NULL;
	return error_create(ERROR_REFUSED,
			    "%" PRIu64
			    " MB of it are in reserved huge pages (hugetlbfs), "
			    "which a copy could exhaust",
			    scene->status.hugetlb_bytes >> 20);
}

/* clone() may wait for whoever handles the faults. */
static struct error *check_userfaultfd(const struct scene *scene)
{
	char path[64];
	snprintf(path, sizeof(path), "/proc/%d/fd", (int)scene->pid);
	CLEANUP_CLOSEDIR DIR *folder = opendir(path);
	struct dirent *entry;
	while (folder && (entry = readdir(folder))) {
		char link[64] = "";
		ssize_t length =
			readlinkat(dirfd(folder), entry->d_name, link, sizeof(link) - 1);
		if (length > 0 && strstr(link, "userfaultfd"))
			return error_create(ERROR_REFUSED,
					    "it handles its own page faults (userfaultfd "
					    "is its descriptor %s)",
					    entry->d_name);
	}
	return NULL;
}

static struct error *check_pids(const struct scene *scene)
{
	const char *tightest = "";
	uint64_t left = headroom_pids(&scene->headroom, &tightest);
	if (left >= 2)
		return NULL;
	return error_create(ERROR_REFUSED,
			    "its cgroup may not start another process (%s)", tightest);
}

/* In the worst case the process rewrites all of its own memory while the copy lives. There is
   room for that, or there is no copy: on a busy machine the guard (tracer.c) may get its turn
   too late, and once the kernel has taken the copy it may take the process next. */
static struct error *check_memory(const struct scene *scene)
{
	const char *tightest = "";
	uint64_t left = headroom_bytes(&scene->headroom, &tightest);
	uint64_t own = scene->status.anonymous_bytes;
	if (left >= own + COPY_FLOOR_BYTES)
		return NULL;
	return error_create(ERROR_REFUSED,
			    "a copy can come to need %" PRIu64 " MB, and only %" PRIu64
			    " MB are left (%s)",
			    own >> 20, left >> 20, tightest);
}

/* A copy is promised all that the process may write, as long as it lives: others would get no more
   memory meanwhile. */
static struct error *check_promises(const struct scene *scene)
{
	uint64_t left = headroom_promises();
	uint64_t own = scene->status.private_bytes;
	if (left >= own + COPY_FLOOR_BYTES)
		return NULL;
	return error_create(ERROR_REFUSED,
			    "a copy would be promised %" PRIu64 " MB, and the kernel may "
			    "promise only %" PRIu64
			    " MB more (vm.overcommit_memory is 2)",
			    own >> 20, left >> 20);
}

static struct error *(*const rules[])(const struct scene *scene) = {
	check_main_thread, check_running, check_seccomp, check_hugetlb,
	check_userfaultfd, check_pids,    check_memory,  check_promises,
};

struct error *copy_rules_check(pid_t pid)
{
	struct scene scene = { .pid = pid };
	struct error *error = process_status(pid, 0, &scene.status);
	if (!error)
		error = headroom_init(&scene.headroom, pid);
	for (size_t i = 0; !error && i < ARRAY_SIZE(rules); i++)
		error = rules[i](&scene);
	headroom_deinit(&scene.headroom);
	return error;
}
