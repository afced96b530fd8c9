/*
 * ticker: a program that goes on. It counts in a file that others can map, loses a few
 * blocks at the start, and keeps a heap of the size that is asked for.
 *
 * Usage: ticker COUNTER_FILE [HEAP_MB [THREADS]]
 *
 * expect: definite 8008 in 1
 */
#include <fcntl.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "plant.h"

static void *volatile heap;
static size_t heap_bytes;

static void plant(void)
{
	plant_sized(8008, PLANT_DEFINITE, "lost");
	plant_fence();

	void **head = NULL;
	for (size_t size = 0; size < heap_bytes; size += 256) {
		void **block = calloc(1, 240);
		if (!block)
			abort();
		*block = head;
		heap = head = block;
	}
}

static void *rest(void *argument)
{
	(void)argument;
	plant_holding();
	plant_pause();
}

static _Atomic uint64_t *map_counter(const char *path)
{
	int fd = open(path, O_RDWR | O_CREAT, 0666);
	if (fd < 0 || ftruncate(fd, 4096) != 0)
		abort();
	void *memory = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	return memory == MAP_FAILED ? NULL : memory;
}

int main(int argc, char **argv)
{
	if (argc < 2)
		return 2;
	_Atomic uint64_t *counter = map_counter(argv[1]);
	if (!counter)
		return 1;
	heap_bytes = argc > 2 ? (size_t)atoi(argv[2]) << 20 : 0;
	plant_run(plant);
	for (int i = 0; argc > 3 && i < atoi(argv[3]); i++)
		plant_thread(rest, 0);
	plant_ready();
	for (;;) {
		atomic_fetch_add(counter, 1);
		usleep(100);
	}
}
