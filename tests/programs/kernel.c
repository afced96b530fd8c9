/*
 * kernel: blocks that only the kernel holds, for a program that has them handed back. Each
 * is reachable for the program; Memcheck cannot know.
 *
 * expect: definite 568 in 3
 * expect: indirect 616 in 3
 * expect: reachable 1376 in 10
 */
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "plant.h"

static const char by_kernel[] =
	"the kernel gives the pointer back, and Memcheck does not ask "
	"it";

static void *block_for_kernel(bool held, const char *shape)
{
	void **block = plant_block(held ? PLANT_REACHABLE : PLANT_DEFINITE, shape);
	*block = plant_block(held ? PLANT_REACHABLE : PLANT_INDIRECT,
			     "held by such a block");
	if (held) {
		plant_differs(block, PLANT_DEFINITE, by_kernel);
		plant_differs(*block, PLANT_INDIRECT, by_kernel);
	}
	return block;
}

static void add(int epoll, int fd, void *data)
{
	struct epoll_event event = { .events = EPOLLIN, .data.ptr = data };
	if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) != 0)
		abort();
}

static void in_epoll(void)
{
	int epoll = epoll_create1(EPOLL_CLOEXEC);
	for (int i = 0; i < 3; i++)
		add(epoll, eventfd(0, EFD_CLOEXEC),
		    block_for_kernel(true, "data of an epoll entry"));

	int fd = eventfd(0, EFD_CLOEXEC);
	add(epoll, fd, block_for_kernel(false, "data of an epoll entry taken out"));
	epoll_ctl(epoll, EPOLL_CTL_DEL, fd, NULL);

	fd = eventfd(0, EFD_CLOEXEC);
	add(epoll, fd,
	    block_for_kernel(false, "data of an epoll entry whose file was closed"));
	close(fd);

	/* Only an epoll has the inner one. */
	int inner = epoll_create1(EPOLL_CLOEXEC);
	add(inner, eventfd(0, EFD_CLOEXEC),
	    block_for_kernel(true, "data of an epoll in an epoll"));
	add(epoll, inner, NULL);
}

static timer_t make_timer(void *data)
{
	struct sigevent event = {
		.sigev_notify = SIGEV_SIGNAL,
		.sigev_signo = SIGUSR1,
		.sigev_value.sival_ptr = data,
	};
	timer_t timer;
	if (timer_create(CLOCK_MONOTONIC, &event, &timer) != 0)
		abort();
	return timer;
}

/* Whether the kernel tells of timers: CONFIG_CHECKPOINT_RESTORE. */
static bool shows_timers(void)
{
	return access("/proc/self/timers", F_OK) == 0;
}

static void in_timers(void)
{
	make_timer(block_for_kernel(shows_timers(), "value of a timer"));
	timer_delete(make_timer(block_for_kernel(false, "value of a deleted timer")));
}

static void plant(void)
{
	in_epoll();
	in_timers();
}

int main(int argc, char **argv)
{
	plant_run(plant);
	plant_wait(argc, argv);
}
