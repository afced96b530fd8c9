/*
 * seccomped: a program that the kernel kills for any call but a few, or for clone() alone.
 * A line on stdin ends it; it then says ALIVE.
 *
 * Usage: seccomped strict|filter|clone
 *
 * expect: definite 8008 in 1
 */
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "plant.h"

#define ALLOW(call)                                                                      \
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_##call, 0, 1),                           \
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)

static void plant(void)
{
	plant_sized(8008, PLANT_DEFINITE, "lost");
	plant_fence();
}

static int set_filter(struct sock_filter *filter, unsigned short length)
{
	struct sock_fprog program = { .len = length, .filter = filter };
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}

static int confine(const char *how)
{
	if (strcmp(how, "strict") == 0)
		return prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT);
	struct sock_filter no_clone[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_clone, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_filter few[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		ALLOW(read),
		ALLOW(write),
		ALLOW(exit),
		ALLOW(exit_group),
		ALLOW(nanosleep),
		ALLOW(clock_nanosleep),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
	};
	return strcmp(how, "clone") == 0
		       ? set_filter(no_clone, sizeof(no_clone) / sizeof(no_clone[0]))
		       : set_filter(few, sizeof(few) / sizeof(few[0]));
}

int main(int argc, char **argv)
{
	if (argc != 2)
		return 2;
	plant_run(plant);
	/* READY comes after the last call that would be refused. */
	if (confine(argv[1]) != 0)
		return 3;
	if (write(STDOUT_FILENO, "READY\n", 6) != 6)
		return 4;
	char line[8];
	while (read(STDIN_FILENO, line, sizeof(line)) <= 0)
		;
	if (write(STDOUT_FILENO, "ALIVE\n", 6) != 6)
		return 5;
	syscall(SYS_exit, 7);
}
