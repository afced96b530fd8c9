/* A program whose children end all the time. brood NR killed: NR of them, of which one is killed
   every 2 ms and another one started; brood NR left: as many more that end soon, and nobody waits for.
   Says READY when the first NR are there. */
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MOST 256
#define KB   ((size_t)1 << 10)

static void wait_ms(long ms)
{
	struct timespec time = { ms / 1000, ms % 1000 * 1000000 };
	nanosleep(&time, NULL);
}

/* Not static: what is written there counts. */
extern char *block;
char *block;

/* life_ms 0: until it is killed. */
static pid_t start(long life_ms)
{
	pid_t parent = getpid(), child = fork();
	if (child < 0)
		exit(1);
	if (child)
		return child;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(0);
	block = malloc(100 * KB);
	if (block)
		memset(block, 1, 100 * KB);
	wait_ms(life_ms);
	while (!life_ms)
		pause();
	_exit(0);
}

int main(int nr_words, char **words)
{
	pid_t children[MOST];
	size_t nr = nr_words == 3 ? strtoul(words[1], NULL, 10) : 0;
	if (nr < 1 || nr > MOST)
		return 1;
	bool leaves = !strcmp(words[2], "left");
	for (size_t i = 0; i < nr; i++)
		children[i] = start(0);
	puts("READY");
	fflush(stdout);
	for (size_t i = 0;; i = (i * 7 + 3) % nr) {
		if (leaves) {
			start(1 + (long)i);
			wait_ms(20);
			continue;
		}
		kill(children[i], SIGKILL);
		waitpid(children[i], NULL, 0);
		children[i] = start(0);
		wait_ms(2);
	}
}
