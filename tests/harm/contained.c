/*
 * contained: runs a program in a container of its own: FOLDER is the root of its files,
 * nothing of the machine's is mounted there, and it is process 1. With --user it also has
 * a user namespace. It is killed when this program ends.
 *
 * Usage: contained [--user] FOLDER PROGRAM [ARGUMENT...]
 * Status: the program's, or 77 where this machine does not allow such namespaces.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static void check(int result, const char *what)
{
	if (result >= 0)
		return;
	fprintf(stderr, "contained: %s: %s\n", what, strerror(errno));
	exit(errno == EPERM || errno == ENOSPC || errno == EINVAL ? 77 : 1);
}

static void put(const char *file, const char *text)
{
	int fd = open(file, O_WRONLY | O_CLOEXEC);
	check(fd, file);
	check((int)write(fd, text, strlen(text)), file);
	close(fd);
}

/* Outside it stays who it is; inside it is root. */
static void map_user(uid_t uid, gid_t gid)
{
	char map[64];
	put("/proc/self/setgroups", "deny");
	snprintf(map, sizeof(map), "0 %u 1", uid);
	put("/proc/self/uid_map", map);
	snprintf(map, sizeof(map), "0 %u 1", gid);
	put("/proc/self/gid_map", map);
}

static void enter(const char *folder)
{
	check(mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL), "private mounts");
	check(mount(folder, folder, NULL, MS_BIND | MS_REC, NULL), folder);
	check(chdir(folder), folder);
	check((int)syscall(SYS_pivot_root, ".", "."), "pivot_root");
	check(umount2(".", MNT_DETACH), "umount");
	check(chdir("/"), "/");
}

static int status_of(pid_t child)
{
	int status = 0;
	check(waitpid(child, &status, 0), "wait");
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int main(int argc, char **argv)
{
	int user = argc > 1 && strcmp(argv[1], "--user") == 0;
	uid_t uid = getuid();
	gid_t gid = getgid();
	if (argc < user + 3)
		return 2;
	check(unshare(CLONE_NEWNS | CLONE_NEWPID | (user ? CLONE_NEWUSER : 0)),
	      "unshare");
	if (user)
		map_user(uid, gid);
	pid_t child = fork();
	check(child, "fork");
	if (child > 0)
		return status_of(child);
	check(prctl(PR_SET_PDEATHSIG, SIGKILL), "prctl");
	enter(argv[user + 1]);
	execv(argv[user + 2], argv + user + 2);
	check(-1, argv[user + 2]);
}
