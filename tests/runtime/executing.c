/*
 * A program that does what its words say, one after the other:
 *
 *	blocks N SIZE	allocate N blocks, and free every other one
 *	wait		say READY, and go on when stdin says so
 *	failing		execute what is not there, in every way, and go on
 *	vfork WORD... --	run oneself in a child of vfork(), with these words, and wait for it
 *	exec COMMAND...	become another program
 *	called COMMAND...	the same by a system call of one's own
 *	bare COMMAND...	the same without an environment
 *	threads COMMAND...	the same by a thread, while others allocate
 *	NUMBER		exit with it
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { THREADS = 3, OF_THREADS = 777, MANY = 1000 };

extern char **environ;

static void *volatile kept;
static char **rest; /* words that are still to be done */
static char *self;

static void blocks(void)
{
	size_t nr = strtoul(rest[0], NULL, 10), size = strtoul(rest[1], NULL, 10);
	rest += 2;
	for (size_t i = 0; i < nr; i++) {
		kept = malloc(size);
		if (i % 2)
			free(kept);
	}
}

static void wait_for_word(void)
{
	char byte;
	if (write(STDOUT_FILENO, "READY\n", 6) != 6 || read(STDIN_FILENO, &byte, 1) < 0)
		_exit(99);
}

static void fail(void)
{
	static char nothing[] = "/nowhere/nothing";
	char *words[] = { nothing, NULL };
	execv(nothing, words);
	execvp(nothing, words);
	execve(nothing, words, environ);
	execl(nothing, nothing, (char *)NULL);
}

static void run_in_child(void)
{
	char **words = rest - 1;
	while (strcmp(*rest, "--") != 0)
		rest++;
	*rest++ = NULL;
	words[0] = self;
	pid_t child = vfork();
	if (child == 0) {
		execv(self, words);
		_exit(98);
	}
	waitpid(child, NULL, 0);
}

static void execute(void)
{
	execvp(rest[0], rest);
	_exit(97);
}

static void call(void)
{
	syscall(SYS_execve, rest[0], rest, environ);
	_exit(97);
}

static void execute_bare(void)
{
	char *none[] = { NULL };
	execve(rest[0], rest, none);
	_exit(97);
}

static _Atomic unsigned busy;

static void *allocate(void *unused)
{
	(void)unused;
	for (unsigned i = 0; busy < UINT32_MAX; i++) {
		void *volatile block = malloc(OF_THREADS);
		free(block);
		busy += i == MANY;
	}
	return NULL;
}

static void *execute_in_thread(void *unused)
{
	(void)unused;
	while (busy < THREADS)
		usleep(100);
	execute();
	return NULL;
}

static void execute_among_threads(void)
{
	pthread_t thread;
	for (int i = 0; i < THREADS; i++)
		pthread_create(&thread, NULL, allocate, NULL);
	pthread_create(&thread, NULL, execute_in_thread, NULL);
	pthread_join(thread, NULL);
}

static const struct action {
	const char *word;
	void (*act)(void);
} actions[] = {
	{ "blocks", blocks },     { "wait", wait_for_word },
	{ "failing", fail },      { "vfork", run_in_child },
	{ "exec", execute },      { "called", call },
	{ "bare", execute_bare }, { "threads", execute_among_threads },
};

static void act(const char *word)
{
	for (size_t i = 0; i < sizeof(actions) / sizeof(*actions); i++)
		if (!strcmp(actions[i].word, word)) {
			actions[i].act();
			return;
		}
	exit(atoi(word));
}

int main(int argc, char **argv)
{
	(void)argc;
	self = argv[0];
	rest = argv + 1;
	while (*rest)
		act(*rest++);
	return 0;
}
