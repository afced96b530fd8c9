/*
 * exits: a program that ends in the way that is asked for, having lost three blocks.
 *
 * Usage: exits return|exit|_exit|thread-exit|last-thread|last-thread-stays|
 *              abort|killed|fault|wait
 *
 * expect: definite 8008 in 1
 * expect: indirect 96 in 2
 */
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "plant.h"

static void plant(void)
{
	void **head = plant_sized(8008, PLANT_DEFINITE, "lost list");
	head[0] = plant_block(PLANT_INDIRECT, "lost list: tail");
	head[1] = plant_block(PLANT_INDIRECT, "lost list: tail");
	plant_fence();
}

static void *end_in_thread(void *argument)
{
	(void)argument;
	exit(14);
}

static void *end_later(void *argument)
{
	(void)argument;
	usleep(50000);
	return NULL;
}

static void *never_end(void *argument)
{
	(void)argument;
	plant_pause();
}

static pthread_t start(void *(*run)(void *))
{
	pthread_t thread;
	if (pthread_create(&thread, NULL, run, NULL) != 0)
		_exit(99);
	return thread;
}

int main(int argc, char **argv)
{
	const char *way = argc > 1 ? argv[1] : "return";
	plant_run(plant);
	plant_ready();
	if (strcmp(way, "return") == 0)
		return 11;
	if (strcmp(way, "exit") == 0)
		exit(12);
	if (strcmp(way, "_exit") == 0)
		_exit(13);
	if (strcmp(way, "thread-exit") == 0)
		pthread_join(start(end_in_thread), NULL);
	if (strcmp(way, "last-thread") == 0) {
		start(end_later);
		pthread_exit(NULL);
	}
	if (strcmp(way, "wait") == 0)
		never_end(NULL);
	if (strcmp(way, "last-thread-stays") == 0) {
		start(never_end);
		pthread_exit(NULL);
	}
	if (strcmp(way, "abort") == 0)
		abort();
	if (strcmp(way, "killed") == 0)
		raise(SIGTERM);
	if (strcmp(way, "fault") == 0)
		__builtin_trap();
	fprintf(stderr, "exits: no way %s\n", way);
	return 2;
}
