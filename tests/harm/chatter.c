/*
 * chatter: a filter with something to say: what it reads from stdin it writes to stdout,
 * line by line, with a count that its own timer drives and a child's word in between; what
 * comes out depends on nothing but what goes in. Ends with status 23.
 *
 * expect: definite 8008 in 1
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "plant.h"

static volatile sig_atomic_t nr_ticks;

static void on_tick(int number)
{
	(void)number;
	nr_ticks++;
}

static void plant(void)
{
	plant_sized(8008, PLANT_DEFINITE, "lost");
	plant_fence();
}

static void child_speaks(int number)
{
	fflush(stdout);
	pid_t child = fork();
	if (child == 0) {
		printf("child of line %d\n", number);
		fflush(stdout);
		_exit(number & 0x7f);
	}
	int status;
	if (waitpid(child, &status, 0) != child || WEXITSTATUS(status) != (number & 0x7f))
		printf("child of line %d came to harm: %d\n", number, status);
}

int main(void)
{
	struct sigaction action = { .sa_handler = on_tick, .sa_flags = SA_RESTART };
	struct itimerval interval = { { 0, 5000 }, { 0, 5000 } };
	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &interval, NULL);
	plant_run(plant);

	char *line = NULL;
	size_t size = 0;
	for (int number = 1; getline(&line, &size, stdin) >= 0; number++) {
		char *copy = strdup(line);
		if (!copy)
			return 1;
		printf("%d: %s", number, copy);
		fprintf(stderr, "%d has %zu bytes\n", number, strlen(copy));
		free(copy);
		if (number % 10 == 0)
			child_speaks(number);
		fflush(stdout);
	}
	free(line);
	while (nr_ticks == 0)
		pause();
	puts("ticked");
	fflush(stdout);
	_exit(23);
}
