/*
 * parent: a program that deals with its children in the way that is asked for, and whose
 * page tables are large enough for a look to take a while. A line on stdin tells it how to
 * go on: "exit" ends it with status 7, "exec" makes it another program, which says AGAIN and
 * waits.
 *
 * Usage: parent ordinary|ignoring|not-waiting|subreaper|reaping [HEAP_MB]
 *
 * expect: definite 8008 in 1
 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "plant.h"

static size_t heap_bytes;
static void **volatile heap;

static void plant(void)
{
	plant_sized(8008, PLANT_DEFINITE, "lost");
	plant_fence();
	for (size_t size = 0; size < heap_bytes; size += 1024) {
		void **block = calloc(1, 1000);
		if (!block)
			abort();
		*block = (void *)heap;
		heap = block;
	}
}

static int be_ordinary(void)
{
	return 0;
}

static int ignore_children(void)
{
	return signal(SIGCHLD, SIG_IGN) == SIG_ERR;
}

static int do_not_wait(void)
{
	struct sigaction action = { .sa_handler = SIG_DFL, .sa_flags = SA_NOCLDWAIT };
	return sigaction(SIGCHLD, &action, NULL);
}

static int be_subreaper(void)
{
	return prctl(PR_SET_CHILD_SUBREAPER, 1);
}

/* Takes the status of any child there is, of whatever kind; there are none of its own. */
static void *reap_for_ever(void *argument)
{
	(void)argument;
	for (;;) {
		pid_t got = waitpid(-1, NULL, __WALL);
		if (got > 0)
			printf("reaped %d\n", (int)got);
		fflush(stdout);
		usleep(100);
	}
	return NULL;
}

static int reap_all(void)
{
	pthread_t thread;
	return pthread_create(&thread, NULL, reap_for_ever, NULL);
}

static const struct way {
	const char *name;
	int (*take)(void);
} ways[] = {
	{ "ordinary", be_ordinary },    { "ignoring", ignore_children },
	{ "not-waiting", do_not_wait }, { "subreaper", be_subreaper },
	{ "reaping", reap_all },
};
#define NR_WAYS (sizeof(ways) / sizeof(ways[0]))

static int take_way(const char *name)
{
	for (size_t i = 0; i < NR_WAYS; i++)
		if (strcmp(ways[i].name, name) == 0)
			return ways[i].take();
	return -1;
}

int main(int argc, char **argv)
{
	char line[16];
	if (argc > 1 && strcmp(argv[1], "again") == 0) {
		puts("AGAIN");
		fflush(stdout);
		plant_pause();
	}
	heap_bytes = argc > 2 ? (size_t)atoi(argv[2]) << 20 : 0;
	if (argc < 2 || take_way(argv[1]) != 0)
		return 2;
	plant_run(plant);
	plant_ready();
	if (!fgets(line, sizeof(line), stdin))
		return 1;
	if (strcmp(line, "exec\n") == 0)
		execl("/proc/self/exe", "parent", "again", (char *)NULL);
	return 7;
}
