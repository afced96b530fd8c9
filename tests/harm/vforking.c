/*
 * vforking: a parent that the kernel holds in vfork() while the child, in the parent's
 * memory, takes three seconds to come to its exec. It then says how the child ended.
 *
 * expect: definite 8008 in 1
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "plant.h"

static void plant(void)
{
	plant_sized(8008, PLANT_DEFINITE, "lost");
	plant_fence();
}

int main(void)
{
	plant_run(plant);
	plant_ready();
	pid_t child = vfork();
	if (child == 0) {
		struct timespec delay = { .tv_sec = 3 };
		while (nanosleep(&delay, &delay) != 0)
			;
		execl("/bin/true", "true", NULL);
		_exit(99);
	}
	int status = -1;
	pid_t waited = waitpid(child, &status, 0);
	printf("child %s %d\n", waited == child ? "ended with" : "is lost", status);
	return 7;
}
