/*
 * framed: blocks that calls of several threads hold. Says "TID FUNCTION ADDRESS" for each: the function
 * whose call alone, or as the outermost, holds it; then READY.
 */
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define NOINLINE __attribute__((noinline))
/* Kept on the stack, whatever the compiler makes of it. */
#define KEEP(name, block) void *volatile name[2] = { block, NULL }

static pthread_mutex_t telling = PTHREAD_MUTEX_INITIALIZER;
static pthread_barrier_t all;

static void *tell(const char *function, size_t size)
{
	void *block = calloc(1, size);
	pthread_mutex_lock(&telling);
	printf("%d %s %p\n", (int)gettid(), function, block);
	pthread_mutex_unlock(&telling);
	return block;
}

NOINLINE static void stay(void)
{
	/* For ever, and no compiler knows. */
	volatile bool is_waiting = true;
	pthread_barrier_wait(&all);
	while (is_waiting)
		pause();
}

/* The caller has it too. */
NOINLINE static void borrow(void *block)
{
	KEEP(kept, block);
	stay();
	kept[1] = kept[0];
}

NOINLINE static void lend(void)
{
	KEEP(kept, tell("lend", 3000));
	borrow(kept[0]);
	kept[1] = kept[0];
}

NOINLINE static void recurse(unsigned depth)
{
	KEEP(kept, tell("recurse", 4000));
	if (depth)
		recurse(depth - 1);
	else
		lend();
	kept[1] = kept[0];
}

static void on_signal(int number)
{
	KEEP(kept, tell("on_signal", 5000));
	(void)number;
	stay();
	kept[1] = kept[0];
}

NOINLINE static void interrupted(void)
{
	KEEP(kept, tell("interrupted", 6000));
	raise(SIGUSR1);
	kept[1] = kept[0];
}

static void *recursing(void *argument)
{
	recurse(3);
	return argument;
}

static void *signalled(void *argument)
{
	interrupted();
	return argument;
}

int main(void)
{
	pthread_t threads[2];
	signal(SIGUSR1, on_signal);
	pthread_barrier_init(&all, NULL, 4);
	pthread_create(&threads[0], NULL, recursing, NULL);
	pthread_create(&threads[1], NULL, recursing, NULL);
	pthread_create(&threads[1], NULL, signalled, NULL);
	KEEP(kept, tell("main", 7000));
	pthread_barrier_wait(&all);
	puts("READY");
	fflush(stdout);
	for (;;)
		pause();
	return kept[0] != NULL;
}
