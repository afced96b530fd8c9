/*
 * selfsame: a program that would notice a second of its kind. Its threads ask the kernel who
 * they are, as fast as they can, and count in a file that others can map: how often they
 * asked, and how often it was another process that asked.
 *
 * Usage: selfsame COUNTER_FILE [HEAP_MB]
 *
 * expect: definite 8008 in 1
 */
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "plant.h"

#define NR_THREADS 3

static struct {
	_Atomic uint64_t nr_asked, nr_strangers;
} * counter;

static pid_t own_pid;
static void *volatile heap;

static void plant(void)
{
	plant_sized(8008, PLANT_DEFINITE, "lost");
	plant_fence();
}

static void *ask_for_ever(void *argument)
{
	(void)argument;
	for (;;) {
		if (syscall(SYS_getpid) != own_pid)
			counter->nr_strangers++;
		counter->nr_asked++;
	}
	return NULL;
}

static void map_counter(const char *path)
{
	int fd = open(path, O_RDWR | O_CREAT, 0666);
	if (fd < 0 || ftruncate(fd, 4096) != 0)
		abort();
	counter = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	if (counter == MAP_FAILED)
		abort();
}

int main(int argc, char **argv)
{
	if (argc < 2)
		return 2;
	map_counter(argv[1]);
	own_pid = getpid();
	size_t heap_bytes = argc > 2 ? (size_t)atoi(argv[2]) << 20 : 0;
	heap = malloc(heap_bytes + 1);
	if (!heap)
		return 1;
	memset(heap, 1, heap_bytes);
	plant_run(plant);
	for (int i = 1; i < NR_THREADS; i++) {
		pthread_t thread;
		if (pthread_create(&thread, NULL, ask_for_ever, NULL) != 0)
			return 1;
	}
	plant_ready();
	ask_for_ever(NULL);
}
