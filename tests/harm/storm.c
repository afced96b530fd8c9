/*
 * storm: threads that allocate, resize, exchange and free blocks as fast as they can. A
 * global table, or the thread at work, holds every block at every instant, so nothing is
 * ever lost but what is lost on purpose at the start.
 *
 * Usage: storm THREADS [LOST_BLOCKS]
 */
#include <malloc.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "plant.h"

#define NR_SLOTS 8192

/* Any thread may take any block out; whoever has taken one frees or resizes it. */
static void *_Atomic table[NR_SLOTS];

static unsigned nr_lost;

static void plant(void)
{
	for (unsigned i = 0; i < nr_lost; i++)
		plant_sized(8008 + 16 * i, PLANT_DEFINITE, "lost");
	plant_fence();
}

/* xorshift: fast, and leaves nothing that looks like an address */
static uint32_t next_random(uint32_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 17;
	*state ^= *state << 5;
	return *state;
}

/* Mostly small, now and then large, rarely in a mapping of its own. */
static size_t random_size(uint32_t *state)
{
	uint32_t dice = next_random(state) % 1000;
	uint32_t size = next_random(state);
	return dice < 700   ? size % 200
	       : dice < 950 ? size % 2000
	       : dice < 997 ? size % 40000
			    : 130000 + size % 200000;
}

static void *allocate(uint32_t *state)
{
	size_t size = random_size(state);
	switch (next_random(state) % 16) {
	case 0:
		return memalign((size_t)32 << next_random(state) % 8, size);
	case 1:
	case 2:
		return calloc(1, size);
	default:
		return malloc(size);
	}
}

/* What the block held before must not be taken for what it holds. */
static void *cleared(void *block)
{
	return block ? memset(block, 0, malloc_usable_size(block)) : NULL;
}

static void *blow(void *seed)
{
	uint32_t state = (uint32_t)(uintptr_t)seed * 2654435761u + 1;
	for (;;) {
		unsigned slot = next_random(&state) % NR_SLOTS;
		if (next_random(&state) % 4 == 0) {
			void *taken = atomic_exchange(&table[slot], NULL);
			taken = cleared(realloc(taken, random_size(&state) + 1));
			free(atomic_exchange(&table[slot], taken));
		} else if (next_random(&state) % 3 == 0) {
			free(atomic_exchange(&table[slot], NULL));
		} else {
			free(atomic_exchange(&table[slot], cleared(allocate(&state))));
		}
	}
	return NULL;
}

int main(int argc, char **argv)
{
	int nr_threads = argc > 1 ? atoi(argv[1]) : 16;
	nr_lost = argc > 2 ? (unsigned)atoi(argv[2]) : 0;
	plant_run(plant);
	for (int i = 0; i < nr_threads; i++) {
		pthread_t thread;
		if (pthread_create(&thread, NULL, blow, (void *)(uintptr_t)(i + 1)) != 0)
			return 1;
	}
	plant_ready();
	for (;;)
		pause();
}
