/*
 * crowd: as many threads as are asked for, each holding one block in its frame.
 *
 * Usage: crowd THREADS
 *
 * expect: definite 8008 in 1
 */
#include <pthread.h>
#include <semaphore.h>
#include <stdlib.h>

#include "plant.h"

static sem_t holding;

static void plant(void)
{
	plant_sized(8008, PLANT_DEFINITE, "lost");
	plant_fence();
}

static void *hold(void *argument)
{
	(void)argument;
	void *volatile block = malloc(104);
	PLANT_KEEP(block);
	sem_post(&holding);
	plant_pause();
}

int main(int argc, char **argv)
{
	int nr_threads = argc > 1 ? atoi(argv[1]) : 1000;
	plant_run(plant);
	sem_init(&holding, 0, 0);
	pthread_attr_t attributes;
	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, 64 << 10);
	for (int i = 0; i < nr_threads; i++) {
		pthread_t thread;
		if (pthread_create(&thread, &attributes, hold, NULL) != 0)
			return 1;
		while (sem_wait(&holding) != 0)
			;
	}
	plant_ready();
	plant_pause();
}
