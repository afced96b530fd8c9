/*
 * A program to record: allocates N blocks of SIZE bytes in each of THREADS threads and frees every
 * other one, and again for each word that follows, which says what to do then:
 *
 *	wait	say READY, and go on when stdin says so
 *	kill	SIGKILL
 *	exec	become /bin/true
 *	NUMBER	exit with it
 */
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MAX_THREADS = 64 };

static size_t nr, size;
static void *volatile kept;

static void *allocate(void *unused)
{
	(void)unused;
	for (size_t i = 0; i < nr; i++) {
		kept = malloc(size);
		if (i % 2)
			free(kept);
	}
	return NULL;
}

static void allocate_in(unsigned nr_threads)
{
	pthread_t threads[MAX_THREADS];
	if (nr_threads == 1) {
		allocate(NULL);
		return;
	}
	for (unsigned i = 0; i < nr_threads; i++)
		pthread_create(&threads[i], NULL, allocate, NULL);
	for (unsigned i = 0; i < nr_threads; i++)
		pthread_join(threads[i], NULL);
}

static void act(const char *word)
{
	char byte;
	if (!strcmp(word, "wait")) {
		if (write(STDOUT_FILENO, "READY\n", 6) != 6 ||
		    read(STDIN_FILENO, &byte, 1) < 0)
			_exit(99);
	} else if (!strcmp(word, "kill")) {
		raise(SIGKILL);
	} else if (!strcmp(word, "exec")) {
		execl("/bin/true", "true", (char *)NULL);
	} else {
		exit(atoi(word));
	}
}

int main(int argc, char **argv)
{
	if (argc < 4)
		return 98;
	nr = strtoul(argv[1], NULL, 10);
	size = strtoul(argv[2], NULL, 10);
	unsigned nr_threads = (unsigned)atoi(argv[3]);
	if (!nr_threads || nr_threads > MAX_THREADS)
		return 98;
	for (int i = 4; i < argc; i++) {
		allocate_in(nr_threads);
		act(argv[i]);
	}
	return 0;
}
