/* handoff: four threads that free, and resize, what the others allocated. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>

#define NR_PLACES 32
#define NR_TURNS  60000

static _Atomic(void *) places[NR_PLACES];

static void *trade(void *seed)
{
	uint32_t state = (uint32_t)(uintptr_t)seed;
	for (int i = 0; i < NR_TURNS; i++) {
		state = state * 1664525 + 1013904223;
		size_t size = 1 + (state >> 8 & 255);
		void *mine = malloc(size);
		void *others = atomic_exchange(&places[state >> 27], mine);
		if (state >> 16 & 1)
			others = realloc(others, size * 4);
		free(others);
	}
	return NULL;
}

int main(void)
{
	pthread_t threads[4];
	for (uintptr_t i = 0; i < 4; i++)
		pthread_create(&threads[i], NULL, trade, (void *)(i + 1));
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	for (int i = 0; i < NR_PLACES; i++)
		free(places[i]);
	return 0;
}
