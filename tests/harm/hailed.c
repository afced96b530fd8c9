/*
 * hailed: threads of which each handles one signal after the other, from a timer of its own
 * that is faster than the handler. Nearly always each is in its handler or on its way there.
 *
 * Usage: hailed THREADS
 *
 * expect: definite 8008 in 1
 */
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "plant.h"

/* What SIGEV_THREAD_ID means is not in glibc's header by that name. */
#define NOTIFY_THREAD _sigev_un._tid

#define INTERVAL_NS 30000

static void plant(void)
{
	plant_sized(8008, PLANT_DEFINITE, "lost");
	plant_fence();
}

static void on_signal(int number)
{
	(void)number;
	for (volatile int i = 0; i < 20000; i++)
		;
}

static void *be_hailed(void *argument)
{
	(void)argument;
	const struct timespec interval = { .tv_nsec = INTERVAL_NS };
	const struct itimerspec every = { interval, interval };
	struct sigevent event = { .sigev_notify = SIGEV_THREAD_ID,
				  .sigev_signo = SIGRTMIN };
	event.NOTIFY_THREAD = (pid_t)syscall(SYS_gettid);
	timer_t timer;
	if (timer_create(CLOCK_MONOTONIC, &event, &timer) != 0 ||
	    timer_settime(timer, 0, &every, NULL) != 0)
		abort();
	for (;;)
		pause();
}

int main(int argc, char **argv)
{
	int nr_threads = argc > 1 ? atoi(argv[1]) : 4;
	const struct sigaction action = { .sa_handler = on_signal };
	sigaction(SIGRTMIN, &action, NULL);
	plant_run(plant);
	for (int i = 1; i < nr_threads; i++) {
		pthread_t thread;
		if (pthread_create(&thread, NULL, be_hailed, NULL) != 0)
			return 1;
	}
	plant_ready();
	be_hailed(NULL);
}
