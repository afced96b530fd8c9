/*
 * brief: a program that is soon over: it allocates, starts threads and frees, for so many
 * microseconds, and ends with status 42.
 *
 * Usage: brief MICROSECONDS [THREADS]
 */
#include <pthread.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static double now_us(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

static void *work(void *end_us)
{
	void *volatile blocks[64] = { NULL };
	for (unsigned i = 0; now_us() < *(double *)end_us; i++) {
		free(blocks[i % 64]);
		blocks[i % 64] = malloc(i % 5000);
	}
	for (unsigned i = 0; i < 64; i++)
		free(blocks[i]);
	return NULL;
}

int main(int argc, char **argv)
{
	double end_us = now_us() + (argc > 1 ? atof(argv[1]) : 1000);
	int nr_threads = argc > 2 ? atoi(argv[2]) : 0;
	if (write(STDOUT_FILENO, "READY\n", 6) != 6)
		return 1;
	for (int i = 0; i < nr_threads; i++) {
		pthread_t thread;
		if (pthread_create(&thread, NULL, work, &end_us) != 0)
			return 1;
	}
	work(&end_us);
	_exit(42);
}
