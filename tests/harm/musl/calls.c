/*
 * Allocates by known chains of calls: one() by two() by three() by main(), ten times; by itself 20
 * deep, once; in a thread; through libc; in a library that is opened, and closed; and in a handler,
 * which interrupts spin().
 */
#include <dlfcn.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define CALL __attribute__((noinline, noclone, optimize("no-optimize-sibling-calls")))

static void *volatile kept;
static volatile sig_atomic_t is_handled;

CALL static int one(size_t size)
{
	kept = malloc(size);
	free(kept);
	return 1;
}

CALL static int two(size_t size)
{
	return one(size) + 1;
}

CALL static int three(size_t size)
{
	return two(size) + 1;
}

CALL static int deep(int depth)
{
	return depth > 1 ? deep(depth - 1) + 1 : one(200);
}

CALL static void *in_thread(void *unused)
{
	three(300);
	return unused;
}

CALL static void by_every_function(void)
{
	void *block = NULL;
	free(calloc(10, 40));
	free(realloc(malloc(1), 401));
	free(aligned_alloc(64, 448));
	if (posix_memalign(&block, 64, 403) == 0)
		free(block);
}

static const void *volatile first;

CALL static int compare(const void *a, const void *b)
{
	if (!first)
		one(900);
	first = a;
	return *(const char *)a - *(const char *)b;
}

/* By functions of libc that call malloc(), and one that calls back. */
CALL static void by_libc(void)
{
	char letters[] = "of ten bytes", *text = NULL;
	free(strdup(letters));
	if (asprintf(&text, "%801d", 1) > 0)
		free(text);
	qsort(letters, sizeof(letters) - 1, 1, compare);
}

CALL static void by_library(const char *folder)
{
	char path[4096];
	for (int i = 0; i < 3; i++) {
		snprintf(path, sizeof(path), "%s/libcalled.so", folder);
		void *library = dlopen(path, RTLD_NOW);
		if (!library)
			exit(98);
		int (*call)(int (*)(size_t), size_t);
		*(void **)&call = dlsym(library, "called");
		call(two, 500);
		dlclose(library);
	}
}

CALL static void handle(int signal)
{
	(void)signal;
	one(600);
	is_handled = 1;
}

CALL static int spin(void)
{
	int turns = 0;
	raise(SIGUSR1);
	while (!is_handled)
		turns++;
	return turns;
}

int main(int argc, char **argv)
{
	if (argc < 2)
		return 97;
	for (int i = 0; i < 10; i++)
		three(100);
	deep(20);
	pthread_t thread;
	pthread_create(&thread, NULL, in_thread, NULL);
	pthread_join(thread, NULL);
	by_every_function();
	by_libc();
	by_library(argv[1]);
	signal(SIGUSR1, handle);
	spin();
	int status = system("echo of a shell; exit 3");
	pid_t child = fork();
	if (child == 0) {
		three(700);
		_exit(4);
	}
	waitpid(child, NULL, 0);
	printf("done %d\n", WEXITSTATUS(status));
	return 6;
}
